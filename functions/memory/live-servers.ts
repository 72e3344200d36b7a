import { z } from 'zod';
import { doesNotExpire } from '../backup/models.ts';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { InvalidInput, NotFound } from '../common/errors.ts';
import { DatabaseId, Region, Timestamp, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { Epoch, Position } from '../failover/models.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

/** The part of a server that its replicas get. */
const Replicated = z.strictObject({
  lease: z.strictObject({
    epoch: Epoch,
    holder: Region.optional(),
    untilMicros: z.int().nonnegative(),
    closedFor: Epoch.optional(),
    replacedIn: Epoch.optional(),
    replacedAt: Region.optional(),
  }),
  unfenced: z.array(z.string()),
  position: Position,
});

const LiveServer = z.strictObject({
  databaseId: DatabaseId,
  region: Region,
  role: z.enum(['primary', 'replica']),
  /** Of a replica: where it copies from, and whether anything arrives. */
  follows: Region.optional(),
  streaming: z.boolean(),
  /** What happens to it until when, by the clock of the twin. */
  work: z.strictObject({ kind: z.enum(['creating', 'promoting', 'renaming']), until: Timestamp }).optional(),
  failed: z.boolean(),
  reachable: z.boolean(),
  /** How far its own clock is ahead. */
  clockOffsetMicros: z.int(),
  installed: z.boolean(),
  ...Replicated.shape,
});
export type LiveServer = z.output<typeof LiveServer>;

/** What a server held at one moment: what a copy shows that is restored to it. */
const Past = z.strictObject({ installed: z.boolean(), ...Replicated.shape });
type Past = z.output<typeof Past>;

/** Open before the first guardian: the lease of epoch 0 does not end. */
const neverLeased = { epoch: Epoch.parse(0), untilMicros: Number.MAX_SAFE_INTEGER };

/** Renamed away for good: what comes under the name next is another server. */
const never = timestamp(doesNotExpire);

/** The modelled PostgreSQL servers behind the live databases; what a primary writes reaches its streaming replicas at once. */
export interface LiveServers {
  find(databaseId: DatabaseId, region: Region): LiveServer | undefined;
  /** @throws NotFound */
  require(databaseId: DatabaseId, region: Region): LiveServer;
  /** Changes facts of a server. @throws NotFound */
  change(databaseId: DatabaseId, region: Region, facts: Partial<LiveServer>): LiveServer;
  /** Makes a server that follows the one of `from`, with everything that it has. */
  follow(databaseId: DatabaseId, region: Region, from: Region, readyInSeconds: number): void;
  /** A replica becomes writable after so many seconds. */
  promote(databaseId: DatabaseId, region: Region, readyInSeconds: number): void;
  /** The server loses its name, which belongs to nobody until `standIn`: it does not answer. */
  renameAway(databaseId: DatabaseId, region: Region): void;
  /** The lease that a restored copy is given before it gets a name. */
  leaseCopy(copyKey: string, lease: LiveServer['lease']): void;
  /** A copy of what the server held at that moment gets its name. Replicas go on following the one that was renamed: nothing reaches them any more. */
  standIn(databaseId: DatabaseId, region: Region, copy: { readonly key: string; readonly shows: Date }, readyInSeconds: number): void;
}

export function liveServers(settings: { readonly operations: Operations; readonly clock: Clock; readonly store: ItemStore }): LiveServers {
  const { operations, clock } = settings;
  const servers = items(settings.store, 'live-servers', LiveServer);
  const past = items(settings.store, 'live-servers-past', Past);
  const copies = items(settings.store, 'leases-of-copies', Replicated.shape.lease);
  const keyOf = (databaseId: DatabaseId, region: Region) => `${databaseId}/${region}`;

  /** As the config describes it, until somebody changes it. */
  function byConfig(databaseId: DatabaseId, region: Region): LiveServer | undefined {
    const database = databaseOf(operations, databaseId);
    const { primary } = operations.regions;
    const replica = database.replica?.region === region;
    if (!database.sites[region] || !(replica || region === primary)) return undefined;
    return {
      databaseId,
      region,
      ...(replica ? { role: 'replica', follows: primary } : { role: 'primary' }),
      streaming: replica,
      failed: false,
      reachable: true,
      clockOffsetMicros: 0,
      installed: true,
      lease: neverLeased,
      unfenced: [],
      position: { canary: { seq: 1, writtenAt: timestamp(clock.now()) }, transactions: 1000 },
    };
  }

  function find(databaseId: DatabaseId, region: Region): LiveServer | undefined {
    const stored = servers.get(keyOf(databaseId, region))?.value ?? byConfig(databaseId, region);
    if (!stored?.work || Date.parse(stored.work.until) > clock.now().getTime()) return stored;
    const { work, follows, ...rest } = stored;
    if (work.kind === 'renaming') return { ...rest, reachable: true };
    return work.kind === 'promoting'
      ? { ...rest, role: 'primary', streaming: false }
      : { ...rest, role: 'replica', ...(follows ? { follows } : {}) };
  }

  function require(databaseId: DatabaseId, region: Region): LiveServer {
    const found = find(databaseId, region);
    if (!found) throw new NotFound(`there is no database ${databaseId} in ${region}`);
    return found;
  }

  function put(server: LiveServer): LiveServer {
    const { databaseId, region, installed, lease, unfenced, position } = server;
    servers.put(keyOf(databaseId, region), server);
    past.put(`${keyOf(databaseId, region)}/${timestamp(clock.now())}`, { installed, lease, unfenced, position });
    return server;
  }

  /** As it was at that moment; before anything is known of it, as it was first. */
  function asOf(databaseId: DatabaseId, region: Region, moment: Date): Past {
    const prefix = `${keyOf(databaseId, region)}/`;
    const known = settings.store.list('live-servers-past', prefix).map(({ key }) => key);
    const key = known.findLast((each) => each <= `${prefix}${timestamp(moment)}`) ?? known[0];
    const { installed, lease, unfenced, position } = (key ? past.get(key)?.value : undefined) ?? require(databaseId, region);
    return { installed, lease, unfenced, position };
  }

  function change(databaseId: DatabaseId, region: Region, facts: Partial<LiveServer>): LiveServer {
    const changed = put({ ...require(databaseId, region), ...facts });
    const source = changed.role === 'replica' && changed.follows ? find(databaseId, changed.follows) : changed;
    if (source) stream(source);
    return require(databaseId, region);
  }

  /** Brings the replicas of that server up to date. */
  function stream(source: LiveServer): void {
    for (const region of Object.keys(databaseOf(operations, source.databaseId).sites).map((name) => Region.parse(name))) {
      const replica = find(source.databaseId, region);
      if (replica?.role !== 'replica' || replica.follows !== source.region || !replica.streaming) continue;
      const { lease, unfenced, position } = source;
      put({ ...replica, lease, unfenced, position, installed: source.installed });
    }
  }

  return {
    find,
    require,
    change,
    follow(databaseId, region, from, readyInSeconds) {
      const source = require(databaseId, from);
      if (source.role !== 'primary') throw new InvalidInput(`${databaseId} in ${from} is no primary that a replica could follow`);
      const work = { kind: 'creating' as const, until: timestamp(after(clock.now(), seconds(readyInSeconds))) };
      put({
        ...source,
        region,
        role: 'replica',
        follows: from,
        streaming: true,
        failed: false,
        reachable: true,
        clockOffsetMicros: 0,
        work,
      });
    },
    promote(databaseId, region, readyInSeconds) {
      const work = { kind: 'promoting' as const, until: timestamp(after(clock.now(), seconds(readyInSeconds))) };
      put({ ...require(databaseId, region), streaming: false, work });
    },
    renameAway(databaseId, region) {
      put({ ...require(databaseId, region), reachable: false, work: { kind: 'renaming', until: never } });
    },
    leaseCopy: (copyKey, lease) => copies.put(copyKey, lease),
    standIn(databaseId, region, { key, shows }, readyInSeconds) {
      const work = { kind: 'renaming' as const, until: timestamp(after(clock.now(), seconds(readyInSeconds))) };
      const facts = { role: 'primary' as const, streaming: false, failed: false, reachable: false, clockOffsetMicros: 0, work };
      const lease = copies.get(key)?.value;
      put({ databaseId, region, ...facts, ...asOf(databaseId, region, shows), ...(lease ? { lease } : {}) });
      for (const each of Object.keys(databaseOf(operations, databaseId).sites).map((name) => Region.parse(name))) {
        const replica = find(databaseId, each);
        if (replica?.role !== 'replica' || replica.follows !== region) continue;
        const { follows: _, ...rest } = replica;
        put({ ...rest, streaming: false });
      }
    },
  };
}
