import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Region } from '../../functions/common/ids.ts';
import { Epoch } from '../../functions/failover/models.ts';
import { isAlive } from '../postgres/processes.ts';
import { makeServerDirectory } from '../postgres/server.ts';
import { createStandby } from '../postgres/standby.ts';
import { type RegionPaths, standbyName } from '../region.ts';
import type { Regions } from '../regions.ts';

/** How the last rebuilding of a region's standby went: `rebuild.json` of the region. */
const Rebuild = z.strictObject({
  epoch: Epoch,
  pid: z.int().positive(),
  status: z.enum(['creating', 'available', 'failed']),
  reason: z.string().optional(),
});
export type Rebuild = z.output<typeof Rebuild>;

const fileIn = ({ root }: RegionPaths): string => join(root, 'rebuild.json');

/** Undefined when none was ever begun. One whose process ended in the middle has failed. */
export function readRebuild(paths: RegionPaths): Rebuild | undefined {
  if (!existsSync(fileIn(paths))) return undefined;
  const rebuild = Rebuild.parse(JSON.parse(readFileSync(fileIn(paths), 'utf8')));
  if (rebuild.status !== 'creating' || isAlive(rebuild.pid)) return rebuild;
  return { ...rebuild, status: 'failed', reason: 'the process that made it ended' };
}

export function writeRebuild(paths: RegionPaths, rebuild: Rebuild): void {
  writeFileSync(`${fileIn(paths)}.new`, JSON.stringify(Rebuild.parse(rebuild)), { mode: 0o600 });
  renameSync(`${fileIn(paths)}.new`, fileIn(paths));
}

/** Where the data of an old primary is kept when its region is rebuilt. */
export const keptAside = ({ root }: RegionPaths, epoch: Epoch): { readonly data: string; readonly archive: string } => ({
  data: join(root, `data-before-epoch-${epoch}`),
  archive: join(root, `archive-before-epoch-${epoch}`),
});

/** Moves aside what stands in the region and makes a new standby of `from`'s primary under the same port. */
export async function rebuildStandby(regions: Regions, region: Region, from: Region, epoch: Epoch): Promise<void> {
  const { server, paths, port } = regions.use(region);
  const source = regions.use(from);
  await server.endNow();
  const aside = keptAside(paths, epoch);
  // A second try finds the original aside already: what stands there now is its own half-made copy.
  for (const which of ['data', 'archive'] as const) {
    if (!existsSync(paths[which])) continue;
    const target = existsSync(aside[which]) ? `${aside[which]}-half-made-${process.hrtime.bigint()}` : aside[which];
    renameSync(paths[which], target);
  }
  await makeServerDirectory(paths.archive, regions.runtime);
  const replication = regions.address(from, 'replication');
  await createStandby({
    primary: {
      server: source.server,
      admin: regions.address(from, 'admin'),
      replication: { ...replication, port: regions.linkPort(from, 'replication', region) ?? replication.port },
    },
    standby: server,
    archiveDir: paths.archive,
    name: standbyName(region),
    slot: true,
    port,
  });
}
