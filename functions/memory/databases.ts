import type { LiveDatabase, RestoredDatabase, Snapshot } from '../backup/models.ts';
import type { Databases, RestoredRef, SnapshotRef } from '../backup/ports.ts';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { InvalidInput, Locked, NotFound, NotOwned } from '../common/errors.ts';
import { type DatabaseId, type Region, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { RestoredItem, SnapshotItem, type Timings } from './database-items.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export interface MemoryDatabasesSettings {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly store: ItemStore;
  readonly timings?: Partial<Timings>;
}

/** The modelled control plane, with handles by which a test makes it misbehave. */
export interface MemoryDatabases extends Databases {
  /** The next call of that method throws `error`, before it does anything. Several are thrown in order. */
  failNext(method: keyof Databases, error: Error): void;
  /** Changes facts of a live database, as somebody could in the console. */
  setLive(databaseId: DatabaseId, region: Region, facts: Partial<LiveDatabase>): void;
  /** Changes or adds a snapshot: another owner, a failure, a lock, missing encryption. */
  setSnapshot(ref: SnapshotRef, facts: Partial<SnapshotItem> & Pick<SnapshotItem, 'databaseId'>): void;
  /** Changes or adds a restored database. */
  setRestored(ref: RestoredRef, facts: Partial<RestoredItem> & Pick<RestoredItem, 'databaseId'>): void;
}

const defaultTimings: Timings = { captureSeconds: 20, snapshotSeconds: 300, copySeconds: 900, restoreSeconds: 600, removeSeconds: 120 };
const dayMilliseconds = 86_400_000;

export function memoryDatabases({ operations, clock, store, timings }: MemoryDatabasesSettings): MemoryDatabases {
  const takes = { ...defaultTimings, ...timings };
  const snapshots = items(store, 'snapshots', SnapshotItem);
  const restored = items(store, 'restored-databases', RestoredItem);
  const live = new Map<string, Partial<LiveDatabase>>();
  const failures = new Map<keyof Databases, Error[]>();
  const owner = operations.name;

  const inject = (method: keyof Databases): void => {
    const error = failures.get(method)?.shift();
    if (error) throw error;
  };
  const later = (count: number) => timestamp(after(clock.now(), seconds(count)));
  const snapshotKey = (ref: SnapshotRef) => `${ref.region}/${ref.snapshotId}`;
  const restoredKey = (ref: RestoredRef) => `${ref.region}/${ref.restoredId}`;
  const snapshotOf = (ref: SnapshotRef) => snapshots.get(snapshotKey(ref))?.value;
  const restoredOf = (ref: RestoredRef) => {
    const found = restored.get(restoredKey(ref))?.value;
    return found && !isGone(found, clock.now()) ? found : undefined;
  };
  const assertOwned = (item: { readonly owner: string }, id: string): void => {
    if (item.owner !== owner) throw new NotOwned(`${id} does not belong to ${owner}`);
  };

  function describeLive(databaseId: DatabaseId, region: Region): LiveDatabase {
    const database = operations.databases.find(({ id }) => id === databaseId);
    const site = database?.sites[region];
    if (!database || !site) throw new NotFound(`there is no database ${databaseId} in ${region}`);
    const now = clock.now().getTime();
    const isReplica = database.replica?.region === region;
    return {
      databaseId,
      region,
      status: 'available',
      engineVersion: '16.4',
      sizeBytes: 107_374_182_400,
      encrypted: true,
      deletionProtected: true,
      logRetentionDays: isReplica ? 0 : Math.max(1, Math.ceil(database.pointInTime.window / 86_400)),
      earliestRestorableAt: isReplica ? undefined : new Date(now - 7 * dayMilliseconds),
      latestRestorableAt: isReplica ? undefined : new Date(now - 300_000),
      replicaOf: isReplica ? database.sites[operations.regions.primary]?.identifier : undefined,
      replicas: !isReplica && database.replica ? [database.sites[database.replica.region]?.identifier ?? ''] : [],
      ...live.get(`${region}/${databaseId}`),
    };
  }

  function startSnapshot(ref: SnapshotRef, item: Omit<SnapshotItem, 'owner' | 'region' | 'snapshotId' | 'createdAt' | 'failed'>): Snapshot {
    const existing = snapshotOf(ref);
    if (existing) assertOwned(existing, ref.snapshotId);
    const now = clock.now();
    const stored = existing ?? { ...item, ...ref, owner, createdAt: timestamp(now), failed: false };
    if (!existing) snapshots.put(snapshotKey(ref), stored, 'absent');
    return asSnapshot(stored, now);
  }

  function startRestore(from: string, request: Parameters<Databases['restore']>[1]): RestoredDatabase {
    const { region, restoredId, databaseId, expiresAt } = request;
    const existing = restoredOf(request);
    if (existing) assertOwned(existing, restoredId);
    const now = clock.now();
    const stored = existing ?? {
      ...{ region, restoredId, databaseId, owner, from, failed: false },
      ...{ createdAt: timestamp(now), availableAt: later(takes.restoreSeconds), expiresAt: timestamp(expiresAt) },
    };
    if (!existing) restored.put(restoredKey(request), stored);
    return asRestored(stored, now);
  }

  return {
    async describe(databaseId, region) {
      inject('describe');
      return describeLive(databaseId, region);
    },
    async createSnapshot({ region, snapshotId, databaseId, kind }) {
      inject('createSnapshot');
      const { sizeBytes, engineVersion } = describeLive(databaseId, region);
      const times = { capturedAt: later(takes.captureSeconds), availableAt: later(takes.snapshotSeconds) };
      return startSnapshot(
        { region, snapshotId },
        { databaseId, kind, ...times, sizeBytes, engineVersion, encrypted: true, keyId: `storage-key/${region}` },
      );
    },
    async describeSnapshot(ref) {
      inject('describeSnapshot');
      const found = snapshotOf(ref);
      return found?.owner === owner ? asSnapshot(found, clock.now()) : undefined;
    },
    async listSnapshots(region) {
      inject('listSnapshots');
      return snapshots
        .list(`${region}/`)
        .filter((item) => item.owner === owner)
        .map((item) => asSnapshot(item, clock.now()));
    },
    async copySnapshot(from, to) {
      inject('copySnapshot');
      const source = snapshotOf(from);
      if (!source) throw new NotFound(`there is no snapshot ${from.snapshotId} in ${from.region}`);
      assertOwned(source, from.snapshotId);
      if (asSnapshot(source, clock.now()).status !== 'available') {
        throw new InvalidInput(`snapshot ${from.snapshotId} in ${from.region} is not available, so it cannot be copied`);
      }
      const { databaseId, kind, sizeBytes, engineVersion } = source;
      const times = { capturedAt: timestamp(clock.now()), availableAt: later(takes.copySeconds) };
      return startSnapshot(
        { region: to.region, snapshotId: to.snapshotId },
        { databaseId, kind, ...times, sizeBytes, engineVersion, encrypted: true, keyId: `backup-key/${to.region}` },
      );
    },
    async removeSnapshot(ref) {
      inject('removeSnapshot');
      const found = snapshotOf(ref);
      if (!found) return;
      assertOwned(found, ref.snapshotId);
      if (found.lockedUntil && Date.parse(found.lockedUntil) > clock.now().getTime()) {
        throw new Locked(`${ref.snapshotId} is locked until ${found.lockedUntil}`);
      }
      snapshots.delete(snapshotKey(ref));
    },
    async restore(ref, request) {
      inject('restore');
      const source = snapshotOf(ref);
      if (!source) throw new NotFound(`there is no snapshot ${ref.snapshotId} in ${ref.region}`);
      if (ref.region !== request.region) throw new InvalidInput(`snapshot ${ref.snapshotId} is in ${ref.region}, not in ${request.region}`);
      return startRestore(ref.snapshotId, request);
    },
    async restoreToTime(time, request) {
      inject('restoreToTime');
      const { earliestRestorableAt, latestRestorableAt } = describeLive(request.databaseId, request.region);
      if (!earliestRestorableAt || !latestRestorableAt || time < earliestRestorableAt || time > latestRestorableAt) {
        throw new InvalidInput(`${time.toISOString()} is outside the point-in-time window of ${request.databaseId}`);
      }
      return startRestore(time.toISOString(), request);
    },
    async describeRestored(ref) {
      inject('describeRestored');
      const found = restoredOf(ref);
      return found?.owner === owner ? asRestored(found, clock.now()) : undefined;
    },
    async listRestored(region) {
      inject('listRestored');
      const now = clock.now();
      return restored
        .list(`${region}/`)
        .filter((item) => item.owner === owner && !isGone(item, now))
        .map((item) => asRestored(item, now));
    },
    async removeRestored(ref) {
      inject('removeRestored');
      const found = restoredOf(ref);
      if (!found) return;
      assertOwned(found, ref.restoredId);
      if (!found.goneAt) restored.put(restoredKey(ref), { ...found, goneAt: later(takes.removeSeconds) });
    },
    failNext(method, error) {
      failures.set(method, [...(failures.get(method) ?? []), error]);
    },
    setLive(databaseId, region, facts) {
      live.set(`${region}/${databaseId}`, { ...live.get(`${region}/${databaseId}`), ...facts });
    },
    setSnapshot(ref, facts) {
      const now = timestamp(clock.now());
      const times = { createdAt: now, capturedAt: now, availableAt: now };
      const fresh = {
        ...ref,
        ...times,
        owner,
        failed: false,
        sizeBytes: 1,
        engineVersion: '16.4',
        encrypted: true,
        keyId: `storage-key/${ref.region}`,
      };
      snapshots.put(snapshotKey(ref), { ...fresh, ...snapshotOf(ref), ...facts });
    },
    setRestored(ref, facts) {
      const now = timestamp(clock.now());
      const fresh = { ...ref, owner, createdAt: now, availableAt: now, expiresAt: now, failed: false, from: 'unknown' };
      restored.put(restoredKey(ref), { ...fresh, ...restoredOf(ref), ...facts });
    },
  };
}

const isGone = (item: RestoredItem, now: Date): boolean => item.goneAt !== undefined && Date.parse(item.goneAt) <= now.getTime();

function asSnapshot(item: SnapshotItem, now: Date): Snapshot {
  const { region, snapshotId, databaseId, sizeBytes, engineVersion, encrypted, keyId, failed } = item;
  const available = Date.parse(item.availableAt) <= now.getTime();
  return {
    ...{ region, snapshotId, databaseId, sizeBytes, engineVersion, encrypted, keyId },
    status: failed ? 'failed' : available ? 'available' : 'creating',
    captured: !failed && Date.parse(item.capturedAt) <= now.getTime(),
    createdAt: new Date(item.createdAt),
  };
}

function asRestored(item: RestoredItem, now: Date): RestoredDatabase {
  const { region, restoredId, databaseId } = item;
  const available = Date.parse(item.availableAt) <= now.getTime();
  const status = item.goneAt ? 'deleting' : item.failed ? 'failed' : available ? 'available' : 'creating';
  return { region, restoredId, databaseId, status, createdAt: new Date(item.createdAt), expiresAt: new Date(item.expiresAt) };
}
