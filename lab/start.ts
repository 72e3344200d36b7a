import { mkdirSync } from 'node:fs';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseId, Region } from '../functions/common/ids.ts';
import { type PgAddress, pgServer } from '../functions/common/pg-server.ts';
import { guard } from './cleanup.ts';
import { explainFileError } from './errors.ts';
import { createLabDir } from './lab-dir.ts';
import { findBinaries } from './postgres/binaries.ts';
import { loadingSettings, nodeSettings } from './postgres/config.ts';
import { nodeAccess, PostgresServer, type Runtime } from './postgres/server.ts';
import { serverUser } from './postgres/server-user.ts';
import { createStandby } from './postgres/standby.ts';
import { reap } from './reap.ts';
import { type RegionPaths, type RegionRole, regionKey, regionPaths } from './region.ts';
import { Regions } from './regions.ts';
import { createRoles, newAccounts, quoteIdent } from './roles.ts';
import { type LabState, writeState } from './state.ts';

export interface StartOptions {
  /** Where labs go; below the directory for temporary files when left out. */
  readonly baseDir?: string;
  readonly deployment: string;
  /** `hms` when left out. */
  readonly profile?: LabState['profile'];
  readonly databaseId: DatabaseId;
  readonly regions: Readonly<Record<RegionRole, Region>>;
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
  /** Ends every process and removes every file of the lab. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a primary and two streaming standbys, each in a region of its own, with data in them.
 * However this process ends from here on, nothing of the lab stays behind.
 *
 * @throws LabUnavailable with one sentence on what is in the way
 */
export async function startRegions(options: StartOptions): Promise<RunningRegions> {
  const dir = createLabDir(options.baseDir);
  const release = guard(dir);
  const stop = async (): Promise<void> => {
    reap(dir);
    release();
  };
  try {
    return { regions: await start(dir, options), stop };
  } catch (error) {
    await stop();
    throw explainFileError(error, dir);
  }
}

async function start(dir: string, options: StartOptions): Promise<Regions> {
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
  const [primary, ...standbys] = [await place('primary'), await place('standby'), await place('tertiary')] as const;

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
  const started: LabState['regions'] = [{ name: primary.name, role: 'primary', port }];
  report({ says: `copying to streaming standbys in ${standbys.map(({ name }) => name).join(' and ')}` });
  const copies = standbys.map(async ({ name, role, server, paths }) => {
    const port = await createStandby({
      primary: { server: primary.server, admin: at(accounts.admin), replication: at(accounts.replication) },
      standby: server,
      archiveDir: paths.archive,
      name: standbyName(name),
    });
    return { name, role, port };
  });
  // All of them end before an error goes up: nothing may still be starting when the lab is taken down.
  await Promise.allSettled(copies);
  started.push(...(await Promise.all(copies)));
  const state: LabState = {
    format: 'codeblue-lab/1',
    pid: process.pid,
    startedAt: new Date().toISOString(),
    deployment: options.deployment,
    seed: options.seed,
    profile: options.profile ?? 'hms',
    databaseId: options.databaseId,
    databaseNames: [...databaseNames],
    regions: started,
    accounts,
  };
  writeState(dir, state);
  return new Regions(dir, state, runtime);
}

/** Slot and connection of a region's standby: `us-west-2` becomes `us_west_2`. */
const standbyName = (region: Region): string => region.replaceAll('-', '_');

/** The server's account gets the two directories it writes; keys, snapshots and objects stay closed to it. */
async function makeRegion(paths: RegionPaths, { user }: Runtime): Promise<void> {
  mkdirSync(paths.root, { recursive: true });
  await chmod(paths.root, user ? 0o711 : 0o700);
  for (const closed of [paths.snapshots, paths.vault, paths.objects, paths.keys]) await mkdir(closed, { mode: 0o700 });
  for (const [open, mode] of [
    [paths.archive, 0o700],
    [paths.restored, user ? 0o711 : 0o700],
  ] as const) {
    await mkdir(open, { mode });
    await chmod(open, mode);
  }
  if (user) await chown(paths.archive, user.uid, user.gid);
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
