import { join } from 'node:path';
import type { DatabaseId, Region } from '../functions/common/ids.ts';
import { findBinaries } from './postgres/binaries.ts';
import { serverUser } from './postgres/server-user.ts';
import { type RegionRole, regionKey, regionPaths } from './region.ts';
import { Regions } from './regions.ts';
import { newAccounts } from './roles.ts';
import { makeRegion, openLab, type RunningRegions } from './start.ts';
import { type LabState, writeState } from './state.ts';

/**
 * Three Regions that can be broken, with directories, keys and HTTP servers, and without a database: for what needs none.
 *
 * @throws LabUnavailable
 */
export function startEmptyRegions(options: {
  readonly deployment: string;
  readonly databaseId: DatabaseId;
  readonly regions: Readonly<Record<RegionRole, Region>>;
  readonly seed: number;
}): Promise<RunningRegions> {
  return openLab(undefined, async (dir, openNetwork) => {
    const user = serverUser();
    const runtime = { user, binaries: findBinaries(join(dir, 'native'), user) };
    const roles = ['primary', 'standby', 'tertiary'] as const;
    const places = roles.map((role) => ({ role, name: options.regions[role] }));
    for (const { name } of places) {
      const paths = regionPaths(dir, name);
      await makeRegion(paths, runtime);
      regionKey({ name, paths });
    }
    const network = await openNetwork(places.map(({ name }) => ({ region: name, databasePort: undefined })));
    const { deployment, databaseId, seed } = options;
    const state: LabState = {
      ...{ format: 'codeblue-lab/1', pid: process.pid, startedAt: new Date().toISOString(), deployment, seed, databaseId },
      databaseNames: [databaseId],
      regions: places.map(({ name, role }) => ({ name, role, httpPort: network.endpointPort(name) })),
      links: [...network.linkAddresses],
      accounts: newAccounts(),
    };
    writeState(dir, state);
    return new Regions(dir, state, runtime);
  });
}
