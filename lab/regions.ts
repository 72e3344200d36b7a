import { join } from 'node:path';
import { NotFound, ServiceUnavailable } from '../functions/common/errors.ts';
import type { DatabaseId, Region } from '../functions/common/ids.ts';
import type { PgAddress } from '../functions/common/pg-server.ts';
import { LabUnavailable } from './errors.ts';
import { findRunningLab } from './lab-dir.ts';
import { findBinaries } from './postgres/binaries.ts';
import { isAlive } from './postgres/processes.ts';
import { PostgresServer, type Runtime } from './postgres/server.ts';
import { serverUser } from './postgres/server-user.ts';
import { type LabRegion, regionPaths } from './region.ts';
import { type AccountName, type LabState, readState } from './state.ts';

/**
 * The three regions of a running lab. Every adapter reaches a region's directory, key and server through `use`, which is
 * where the fault layer can deny a region.
 */
export class Regions {
  readonly dir: string;
  readonly state: LabState;
  readonly runtime: Runtime;
  readonly #regions: ReadonlyMap<Region, LabRegion>;
  readonly #denied = new Set<Region>();

  constructor(dir: string, state: LabState, runtime: Runtime) {
    this.dir = dir;
    this.state = state;
    this.runtime = runtime;
    this.#regions = new Map(
      state.regions.map(({ name, role, port }) => {
        const paths = regionPaths(dir, name);
        return [name, { name, role, paths, port, server: new PostgresServer(runtime, paths.data, join(paths.root, 'server.log')) }];
      }),
    );
  }

  get names(): readonly Region[] {
    return [...this.#regions.keys()];
  }

  get primary(): Region {
    const [first] = [...this.#regions.values()].filter(({ role }) => role === 'primary');
    if (!first) throw new NotFound('the lab has no primary region');
    return first.name;
  }

  /** @throws NotFound when the lab has no such region @throws ServiceUnavailable while it is denied */
  use(name: Region): LabRegion {
    const region = this.#regions.get(name);
    if (!region) throw new NotFound(`the lab has no region ${name}`, { hint: `It has ${this.names.join(', ')}.` });
    if (this.#denied.has(name)) throw new ServiceUnavailable(`region ${name} is denied`);
    return region;
  }

  /** How to reach the live server of a region. @throws as `use` */
  address(name: Region, account: AccountName): PgAddress {
    return { host: '127.0.0.1', port: this.use(name).port, ...this.state.accounts[account] };
  }

  /** @throws NotFound when the lab runs another database than this one */
  checkDatabase(databaseId: DatabaseId): void {
    if (databaseId === this.state.databaseId) return;
    throw new NotFound(`the lab has no database "${databaseId}"`, { hint: `It has "${this.state.databaseId}".` });
  }

  /** From now on nobody in this process gets at the region's directory, key or server. */
  deny(name: Region): void {
    this.use(name);
    this.#denied.add(name);
  }

  allow(name: Region): void {
    this.#denied.delete(name);
  }

  isDenied(name: Region): boolean {
    return this.#denied.has(name);
  }
}

/**
 * Uses a lab that another process runs; without `dir`, the newest one of this user.
 * @throws LabUnavailable when none runs
 */
export function attachRegions(dir = findRunningLab()): Regions {
  const state = dir === undefined ? undefined : readState(dir);
  if (dir === undefined || state === undefined || !isAlive(state.pid)) {
    throw new LabUnavailable(dir === undefined ? 'no lab is running' : `no lab is running in ${dir}`, {
      hint: 'Start one that stays: npm run lab -- --keep',
    });
  }
  const user = serverUser();
  return new Regions(dir, state, { user, binaries: findBinaries(join(dir, 'native'), user) });
}
