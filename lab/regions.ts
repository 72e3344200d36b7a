import { join } from 'node:path';
import { NotFound, ServiceUnavailable } from '../functions/common/errors.ts';
import type { DatabaseId, Region } from '../functions/common/ids.ts';
import type { PgAddress } from '../functions/common/pg-server.ts';
import { LabUnavailable } from './errors.ts';
import { findRunningLab } from './lab-dir.ts';
import { Faults, type LinkKind } from './network/faults.ts';
import { findBinaries } from './postgres/binaries.ts';
import { isAlive } from './postgres/processes.ts';
import { PostgresServer, type Runtime } from './postgres/server.ts';
import { serverUser } from './postgres/server-user.ts';
import { type LabRegion, type RegionPaths, type RegionRole, regionPaths } from './region.ts';
import { type AccountName, type LabState, readState } from './state.ts';

/** Who looks: a region's handlers reach the other regions over the links, and only while nothing lies in between. */
interface Shared {
  readonly regions: ReadonlyMap<Region, LabRegion>;
  readonly denied: Set<Region>;
  /** Who leads, if anybody has claimed that yet. */
  leader: () => Region | undefined;
}

/**
 * The three regions of a running lab. Every adapter reaches a region's directory, key and server through `use`, which is
 * where the fault layer can deny a region.
 */
export class Regions {
  readonly dir: string;
  readonly state: LabState;
  readonly runtime: Runtime;
  readonly faults: Faults;
  readonly #shared: Shared;
  readonly #viewer: Region | undefined;

  constructor(dir: string, state: LabState, runtime: Runtime, view?: { readonly shared: Shared; readonly viewer: Region }) {
    this.dir = dir;
    this.state = state;
    this.runtime = runtime;
    this.faults = new Faults(dir);
    this.#viewer = view?.viewer;
    this.#shared = view?.shared ?? { regions: regionsOf(dir, state, runtime), denied: new Set(), leader: () => undefined };
  }

  get names(): readonly Region[] {
    return [...this.#shared.regions.keys()];
  }

  /** The region whose database is the live one: whoever leads by the coordination record, at first the one that was started so. */
  get primary(): Region {
    return this.#shared.leader() ?? this.startedAs('primary');
  }

  /** The region that the lab was started with in that role. */
  startedAs(role: RegionRole): Region {
    const found = [...this.#shared.regions.values()].find((region) => region.role === role);
    if (!found) throw new NotFound(`the lab has no ${role} region`);
    return found.name;
  }

  /** From now on `primary` asks this; one answer for every view of this lab. */
  followLeader(leader: () => Region | undefined): void {
    this.#shared.leader = leader;
  }

  /** The same regions as the handlers of `viewer` reach them. */
  seenFrom(viewer: Region): Regions {
    return new Regions(this.dir, this.state, this.runtime, { shared: this.#shared, viewer });
  }

  /** @throws NotFound when the lab has no such region @throws ServiceUnavailable while it is denied or cannot be reached from here */
  use(name: Region): LabRegion {
    const region = this.#known(name);
    if (this.isDenied(name)) throw new ServiceUnavailable(`region ${name} is denied`);
    return region;
  }

  /** Its directories, whatever is denied: for those who break things. @throws NotFound */
  paths(name: Region): RegionPaths {
    return this.#known(name).paths;
  }

  /**
   * How to reach the live server of a region. Where nothing passes the address leads into a black hole, as it does in a network.
   * @throws NotFound where the region has no database @throws ServiceUnavailable while it is denied
   */
  address(name: Region, account: AccountName): PgAddress {
    const { port } = this.#known(name);
    if (this.#shared.denied.has(name)) throw new ServiceUnavailable(`region ${name} is denied`);
    if (port === undefined) throw new NotFound(`region ${name} has no database`);
    return { host: '127.0.0.1', port: this.linkPort(name, 'sql') ?? port, ...this.state.accounts[account] };
  }

  /** How to reach the HTTP server of a region; undefined in a lab without a network. */
  httpPort(name: Region): number | undefined {
    return this.linkPort(name, 'http') ?? this.#known(name).httpPort;
  }

  /** Port of the link from the viewer to another region; undefined where there is none. */
  linkPort(to: Region, kind: LinkKind, from = this.#viewer): number | undefined {
    return this.state.links.find((link) => link.from === from && link.to === to && link.kind === kind)?.port;
  }

  /** The region that a link's port leads to. */
  linkTarget(port: number): Region | undefined {
    return this.state.links.find((link) => link.port === port)?.to;
  }

  /** @throws NotFound when the lab runs another database than this one */
  checkDatabase(databaseId: DatabaseId): void {
    if (databaseId === this.state.databaseId) return;
    throw new NotFound(`the lab has no database "${databaseId}"`, { hint: `It has "${this.state.databaseId}".` });
  }

  /** From now on nobody in this process gets at the region's directory, key or server. */
  deny(name: Region): void {
    this.#known(name);
    this.#shared.denied.add(name);
  }

  allow(name: Region): void {
    this.#shared.denied.delete(name);
  }

  isDenied(name: Region): boolean {
    return this.#shared.denied.has(name) || (this.#viewer !== undefined && !this.faults.reaches(this.#viewer, name));
  }

  #known(name: Region): LabRegion {
    const region = this.#shared.regions.get(name);
    if (region) return region;
    throw new NotFound(`the lab has no region ${name}`, { hint: `It has ${this.names.join(', ')}.` });
  }
}

const regionsOf = (dir: string, { regions }: LabState, runtime: Runtime): ReadonlyMap<Region, LabRegion> =>
  new Map(
    regions.map((region) => {
      const paths = regionPaths(dir, region.name);
      return [region.name, { ...region, paths, server: new PostgresServer(runtime, paths.data, join(paths.root, 'server.log')) }];
    }),
  );

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
