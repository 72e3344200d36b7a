import type { LiveDatabase } from '../backup/models.ts';
import type { Databases } from '../backup/ports.ts';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { NotFound, NotOwned } from '../common/errors.ts';
import { type DatabaseId, type Region, type Timestamp, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { regionsOf } from '../common/operations-lookup.ts';
import type { Timings } from './database-items.ts';
import type { ItemStore } from './item-store.ts';
import { type LiveServers, liveServers } from './live-servers.ts';

export interface ControlPlaneSettings {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly store: ItemStore;
  readonly timings?: Partial<Timings>;
  /** Which site is primary and which follows; as the config says when left out. */
  readonly servers?: LiveServers;
}

const defaultTimings: Timings = { captureSeconds: 20, snapshotSeconds: 300, copySeconds: 900, restoreSeconds: 600, removeSeconds: 120 };
const DAY_MILLISECONDS = 86_400_000;

/** What snapshots and restored databases of the modelled service have in common. */
export interface ControlPlane extends ControlPlaneSettings {
  readonly owner: string;
  readonly takes: Timings;
  readonly live: Map<string, Partial<LiveDatabase>>;
  readonly failures: Map<keyof Databases, Error[]>;
  /** Throws what a test asked this method to throw next. */
  inject(method: keyof Databases): void;
  /** The time that many seconds from now. */
  later(secondsFromNow: number): Timestamp;
  /** @throws NotOwned */
  assertOwned(item: { readonly owner: string }, id: string): void;
  /** @throws NotFound */
  describeLive(databaseId: DatabaseId, region: Region): LiveDatabase;
}

export function controlPlane(settings: ControlPlaneSettings): ControlPlane {
  const { operations, clock, timings } = settings;
  const servers = settings.servers ?? liveServers(settings);
  const live: ControlPlane['live'] = new Map();
  const failures: ControlPlane['failures'] = new Map();
  return {
    ...settings,
    owner: operations.name,
    takes: { ...defaultTimings, ...timings },
    live,
    failures,
    inject(method) {
      const error = failures.get(method)?.shift();
      if (error) throw error;
    },
    later: (secondsFromNow) => timestamp(after(clock.now(), seconds(secondsFromNow))),
    assertOwned(item, id) {
      if (item.owner !== operations.name) throw new NotOwned(`${id} does not belong to ${operations.name}`);
    },
    describeLive: (databaseId, region) => ({
      ...asServed(operations, servers, databaseId, region, clock.now().getTime()),
      ...live.get(`${region}/${databaseId}`),
    }),
  };
}

/** A live database as its config wants it, primary or replica as its server is now. */
function asServed(operations: Operations, servers: LiveServers, databaseId: DatabaseId, region: Region, now: number): LiveDatabase {
  const database = operations.databases.find(({ id }) => id === databaseId);
  if (!database?.sites[region]) throw new NotFound(`there is no database ${databaseId} in ${region}`);
  const facts = {
    databaseId,
    region,
    status: 'available',
    engineVersion: '16.4',
    sizeBytes: 107_374_182_400,
    encrypted: true,
    deletionProtected: true,
  };
  const server = servers.find(databaseId, region);
  if (server?.role === 'replica') {
    const source = server.follows && database.sites[server.follows]?.identifier;
    return { ...facts, logRetentionDays: 0, ...(source ? { replicaOf: source } : {}), replicas: [] };
  }
  const replicas = regionsOf(operations).flatMap((each) => {
    const identifier = servers.find(databaseId, each)?.follows === region ? database.sites[each]?.identifier : undefined;
    return identifier ? [identifier] : [];
  });
  return {
    ...facts,
    logRetentionDays: Math.max(1, Math.ceil(database.pointInTime.window / 86_400)),
    earliestRestorableAt: new Date(now - 7 * DAY_MILLISECONDS),
    latestRestorableAt: new Date(now - 300_000),
    replicas,
  };
}
