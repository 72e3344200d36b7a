import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { chmod, chown, copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput, NotFound, NotOwned } from '../../functions/common/errors.ts';
import { type PgAddress, pgServer } from '../../functions/common/pg-server.ts';
import type { ReplicaState, Replicas, SwapRequest } from '../../functions/failover/ports.ts';
import { nodeSettings } from '../postgres/config.ts';
import { makeServerDirectory, PostgresServer } from '../postgres/server.ts';
import type { LabRegion, RegionPaths } from '../region.ts';
import type { Regions } from '../regions.ts';
import { type Restored, RestoredStore } from '../restore/restored-store.ts';

type SwapIn = Parameters<Replicas['swapIn']>[0];

const asideName = /^damaged-(\d+)$/;
const asideDir = ({ root }: RegionPaths, epoch: number): string => join(root, `damaged-${epoch}`);

/** The newest epoch in which a restored copy took the live database's place in that region; undefined where none ever did. */
export function replacedIn({ root }: RegionPaths): number | undefined {
  const epochs = readdirSync(root).flatMap((name) => asideName.exec(name)?.[1] ?? []);
  return epochs.length === 0 ? undefined : Math.max(...epochs.map(Number));
}

/** The database that was replaced in that epoch: its data is kept, and it runs on under an address of its own. */
export function damagedServer(regions: Regions, { paths }: Pick<LabRegion, 'paths'>, epoch: number): PostgresServer {
  const dir = asideDir(paths, epoch);
  return new PostgresServer(regions.runtime, join(dir, 'data'), join(dir, 'server.log'));
}

/** Makes a restored copy fit to take the live database's place: it is kept, takes the live roles' passwords, and answers to whoever the live one answers to. */
export async function prepareSwap(regions: Regions, { databaseId, region, restoredId }: SwapRequest): Promise<ReplicaState> {
  const store = storeOf(regions, region);
  const item = owned(store, regions, { databaseId, region, restoredId });
  const facts = { databaseId, region, role: 'primary' } as const;
  const { status, reason } = store.describe(item);
  if (status === 'failed') return { ...facts, status, says: reason ?? 'it could not be restored' };
  if (status !== 'available' || item.port === undefined) return { ...facts, status: 'creating', says: 'it is being restored' };
  // First: whatever happens from here on, no sweeper takes it away.
  store.update(restoredId, { kept: true });
  const { admin } = regions.state.accounts;
  if (item.password !== admin.password) await takePassword(item.port, item.password, admin.password);
  store.update(restoredId, { password: admin.password });
  store.server(restoredId).allow(regions.use(region).server.access());
  await onServer({ host: '127.0.0.1', port: item.port, ...admin }, 'SELECT pg_reload_conf()');
  return { ...facts, status: 'available', says: 'restored, and ready to take the live name' };
}

/** A call that died between changing the password and noting it left the new one in force. */
async function takePassword(port: number, own: string, live: string): Promise<void> {
  const at = (password: string): PgAddress => ({ host: '127.0.0.1', port, user: 'postgres', password });
  try {
    await onServer(at(own), `ALTER ROLE postgres PASSWORD '${live}'`);
  } catch {
    await onServer(at(live), 'SELECT 1');
  }
}

async function onServer(address: PgAddress, text: string): Promise<void> {
  const session = await pgServer(address).connect('postgres');
  try {
    await session.query(text);
  } finally {
    await session.close();
  }
}

/** One exchange at a time in a region: whoever asks meanwhile gets the same answer. */
const underWay = new Map<string, Promise<ReplicaState>>();

/**
 * The live server starts again under another name and address, as RDS restarts what it renames: its clients lose their connections, and whoever still has its address
 * reaches the damaged database. Then the copy is started where the live one was. Every step is seen by what lies on the disk, so a call after a crash goes on.
 */
export function swapIn(regions: Regions, request: SwapIn): Promise<ReplicaState> {
  const { root } = regions.use(request.region).paths;
  const found = underWay.get(root) ?? exchange(regions, request).finally(() => underWay.delete(root));
  underWay.set(root, found);
  return found;
}

async function exchange(regions: Regions, request: SwapIn): Promise<ReplicaState> {
  const { databaseId, region, restoredId, epoch } = request;
  const { paths, server, port } = regions.use(region);
  const store = storeOf(regions, region);
  const copy = store.server(restoredId);
  const aside = asideDir(paths, epoch);
  if (!existsSync(join(aside, 'data')) && !owned(store, regions, request).kept) {
    throw new InvalidInput(`${restoredId} in ${region} was not prepared`, { hint: 'prepareSwap comes first: it can be undone.' });
  }
  await setAside(regions, region, epoch);
  await startUnlessReady(regions, region, damagedServer(regions, { paths }, epoch));
  if (existsSync(copy.dataDir)) {
    await copy.stop();
    // What shuts clients out of the live database, in a breach say, shuts them out of what takes its place.
    await takePlace(regions, copy, regions.use(region), damagedServer(regions, { paths }, epoch).access());
  }
  await startUnlessReady(regions, region, server, port);
  await rm(store.dir(restoredId), { recursive: true, force: true, maxRetries: 5 });
  return {
    databaseId,
    region,
    role: 'primary',
    status: 'available',
    says: `${restoredId} has the live name; the damaged database is kept as ${aside.slice(paths.root.length + 1)}`,
  };
}

/** Stops the live server and moves what belongs to it; what has been moved stays where it is. */
async function setAside(regions: Regions, region: SwapIn['region'], epoch: number): Promise<void> {
  const { paths, server } = regions.use(region);
  const aside = asideDir(paths, epoch);
  const archive = join(aside, 'archive');
  mkdirSync(aside, { recursive: true });
  await chmod(aside, regions.runtime.user ? 0o711 : 0o700);
  if (!existsSync(join(aside, 'data'))) {
    await server.stop();
    renameSync(paths.data, join(aside, 'data'));
  }
  // The archive of one history must not receive the log of another.
  if (!existsSync(archive)) renameSync(paths.archive, archive);
  const log = join(aside, 'server.log');
  if (!existsSync(log) && existsSync(server.logFile)) renameSync(server.logFile, log);
  const damaged = damagedServer(regions, { paths }, epoch);
  if (damaged.status() === 'stopped') damaged.configure(nodeSettings(archive), damaged.access());
}

/** The stopped copy becomes the region's node, with an archive of its own. */
async function takePlace(regions: Regions, copy: PostgresServer, { paths }: LabRegion, access: string): Promise<void> {
  await makeServerDirectory(paths.archive, regions.runtime);
  const histories = readdirSync(join(copy.dataDir, 'pg_wal')).filter((name) => name.endsWith('.history'));
  // Its archive begins in the middle of its history: these say where that branched off, and by them snapshots are told apart.
  for (const name of histories) await copyOwned(join(copy.dataDir, 'pg_wal', name), join(paths.archive, name), regions);
  copy.configure(nodeSettings(paths.archive), access);
  renameSync(copy.dataDir, paths.data);
}

async function copyOwned(from: string, to: string, { runtime: { user } }: Regions): Promise<void> {
  await copyFile(from, to);
  if (user) await chown(to, user.uid, user.gid);
}

/** @throws ServiceUnavailable when the region was lost meanwhile: nothing starts there then */
async function startUnlessReady(regions: Regions, region: SwapIn['region'], server: PostgresServer, port?: number): Promise<void> {
  regions.use(region);
  if (server.status() === 'stopped') await server.start(port);
}

const storeOf = (regions: Regions, region: SwapIn['region']): RestoredStore => new RestoredStore(regions.use(region), regions.runtime);

function owned(store: RestoredStore, regions: Regions, { databaseId, region, restoredId }: SwapRequest): Restored {
  regions.checkDatabase(databaseId);
  const item = store.get(restoredId);
  if (!item) throw new NotFound(`there is no restored database ${restoredId} in ${region}`);
  if (item.tags.owner === regions.state.deployment && item.databaseId === databaseId) return item;
  throw new NotOwned(`${restoredId} in ${region} is not a copy of ${databaseId} that ${regions.state.deployment} made`);
}
