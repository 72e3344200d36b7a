import { mkdirSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseId, Region } from '../functions/common/ids.ts';
import { type PgAddress, pgServer } from '../functions/common/pg-server.ts';
import { guard } from './cleanup.ts';
import { explainFileError } from './errors.ts';
import { createLabDir } from './lab-dir.ts';
import { Network, type Place } from './network/network.ts';
import { findBinaries } from './postgres/binaries.ts';
import { loadingSettings, nodeSettings } from './postgres/config.ts';
import { freePort } from './postgres/port.ts';
import { makeServerDirectory, nodeAccess, PostgresServer, type Runtime } from './postgres/server.ts';
import { serverUser } from './postgres/server-user.ts';
import { createStandby } from './postgres/standby.ts';
import { reap } from './reap.ts';
import { type RegionPaths, type RegionRole, regionKey, regionPaths, standbyName } from './region.ts';
import { Regions } from './regions.ts';
import { createRoles, newAccounts, quoteIdent } from './roles.ts';
import { type LabState, writeState } from './state.ts';

export interface StartOptions {
  /** Where labs go; below the directory for temporary files when left out. */
  readonly baseDir?: string;
  readonly deployment: string;
  readonly databaseId: DatabaseId;
  readonly regions: Readonly<Record<RegionRole, Region>>;
  /** Regions that get a standby; both others when left out. */
  readonly standbys?: readonly ('standby' | 'tertiary')[];
  /** Regions reach each other over links that can be broken, and have HTTP servers. */
  readonly breakable?: boolean;
  /** The same seed gives the same data. */
  readonly seed: number;
  /** Fills the primary before the standbys copy it. */
  readonly load: LoadData;
  readonly onProgress?: (progress: StartProgress) => void;
}

/** What goes on, as a person reads it; `fraction` from 0 to 1 where it is known. */
export interface StartProgress {
  readonly says: string;
  readonly fraction?: number;
}

export interface LoadTarget {
  /** The empty cluster's superuser. */
  readonly admin: PgAddress;
  /** Role that shall own the data. */
  readonly owner: string;
  readonly seed: number;
  readonly report: (progress: StartProgress) => void;
}

/** Makes databases and their contents; returns the names of the databases. */
export type LoadData = (target: LoadTarget) => Promise<readonly string[]>;

export interface RunningRegions {
  readonly regions: Regions;
  /** Where `breakable` was asked for. */
  readonly network: Network | undefined;
  /** Ends every process and removes every file of the lab. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a primary and two streaming standbys, each in a region of its own, with data in them.
 * However this process ends from here on, nothing of the lab stays behind.
 *
 * @throws LabUnavailable with one sentence on what is in the way
 */
export const startRegions = (options: StartOptions): Promise<RunningRegions> =>
  openLab(options.baseDir, (dir, openNetwork) => start(dir, options, openNetwork));

export type OpenNetwork = (places: readonly Place[]) => Promise<Network>;

/** Makes the directory of a lab, and starts what belongs into it; what began to run ends when the rest cannot start. @throws LabUnavailable */
export async function openLab(
  baseDir: string | undefined,
  startIn: (dir: string, openNetwork: OpenNetwork) => Promise<Regions>,
): Promise<RunningRegions> {
  const dir = createLabDir(baseDir);
  const release = guard(dir);
  let network: Network | undefined;
  const stop = async (): Promise<void> => {
    network?.close();
    reap(dir);
    release();
  };
  try {
    const regions = await startIn(dir, async (places) => {
      network = await Network.open(places);
      return network;
    });
    return { regions, network, stop };
  } catch (error) {
    await stop();
    throw explainFileError(error, dir);
  }
}

async function start(dir: string, options: StartOptions, openNetwork: OpenNetwork): Promise<Regions> {
  const report = options.onProgress ?? (() => {});
  const user = serverUser();
  const runtime: Runtime = { user, binaries: findBinaries(join(dir, 'native'), user) };
  const accounts = newAccounts();
  const place = async (role: RegionRole) => {
    const name = options.regions[role];
    const paths = regionPaths(dir, name);
    await makeRegion(paths, runtime);
    regionKey({ name, paths });
    return { name, role, paths, server: new PostgresServer(runtime, paths.data, join(paths.root, 'server.log')) };
  };
  const primary = await place('primary');
  const others = [await place('standby'), await place('tertiary')];

  report({ says: `starting PostgreSQL in ${primary.name}` });
  await primary.server.initialize(accounts.admin.password);
  primary.server.configure(loadingSettings, nodeAccess);
  const port = await primary.server.start();
  const at = (account: { readonly user: string; readonly password: string }): PgAddress => ({ host: '127.0.0.1', port, ...account });
  await createRoles(at(accounts.admin), accounts);
  const databaseNames = await options.load({ admin: at(accounts.admin), owner: accounts.application.user, seed: options.seed, report });
  await grantDatabases(at(accounts.admin), databaseNames, accounts.codeblue.user);

  await primary.server.stop();
  primary.server.configure(nodeSettings(primary.paths.archive), nodeAccess);
  await primary.server.start(port);
  const standbys = others.filter(({ role }) => role !== 'primary' && (options.standbys ?? ['standby', 'tertiary']).includes(role));
  const ports = new Map([[primary.name, port]]);
  // Links lead to ports that are known before the servers run.
  if (options.breakable) for (const { name } of standbys) ports.set(name, await freePort());
  const all = [primary, ...others];
  const network = options.breakable
    ? await openNetwork(all.map(({ name: region }) => ({ region, databasePort: ports.get(region) })))
    : undefined;
  const links = network?.linkAddresses ?? [];
  report({ says: `copying to streaming standbys in ${standbys.map(({ name }) => name).join(' and ')}` });
  const copies = standbys.map(async ({ name, server, paths }) => {
    const link = links.find(({ from, to, kind }) => from === name && to === primary.name && kind === 'replication');
    const started = await createStandby({
      primary: {
        server: primary.server,
        admin: at(accounts.admin),
        replication: { ...at(accounts.replication), ...(link && { port: link.port }) },
      },
      standby: server,
      archiveDir: paths.archive,
      name: standbyName(name),
      slot: true,
      port: ports.get(name),
    });
    ports.set(name, started);
  });
  // All of them end before an error goes up: nothing may still be starting when the lab is taken down.
  await Promise.allSettled(copies);
  await Promise.all(copies);
  const state: LabState = {
    format: 'codeblue-lab/1',
    pid: process.pid,
    startedAt: new Date().toISOString(),
    deployment: options.deployment,
    seed: options.seed,
    databaseId: options.databaseId,
    databaseNames: [...databaseNames],
    regions: all.map(({ name, role }) => ({
      name,
      role,
      port: ports.get(name),
      httpPort: network?.endpointPort(name),
    })),
    links: [...links],
    accounts,
  };
  writeState(dir, state);
  return new Regions(dir, state, runtime);
}

/** The server's account gets the two directories it writes; keys, snapshots and objects stay closed to it. */
export async function makeRegion(paths: RegionPaths, runtime: Runtime): Promise<void> {
  const { user } = runtime;
  mkdirSync(paths.root, { recursive: true });
  await chmod(paths.root, user ? 0o711 : 0o700);
  for (const closed of [paths.snapshots, paths.vault, paths.objects, paths.keys]) await mkdir(closed, { mode: 0o700 });
  await mkdir(paths.restored);
  await chmod(paths.restored, user ? 0o711 : 0o700);
  await makeServerDirectory(paths.archive, runtime);
}

async function grantDatabases(admin: PgAddress, names: readonly string[], codeblue: string): Promise<void> {
  const session = await pgServer(admin).connect('postgres');
  try {
    for (const name of names)
      await session.query(`GRANT CONNECT, CREATE, TEMPORARY ON DATABASE ${quoteIdent(name)} TO ${quoteIdent(codeblue)}`);
  } finally {
    await session.close();
  }
}
