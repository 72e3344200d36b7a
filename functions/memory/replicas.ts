import { z } from 'zod';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { NotFound, NotOwned } from '../common/errors.ts';
import { DatabaseId, Region, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { Epoch } from '../failover/models.ts';
import type { ReplicaState, Replicas } from '../failover/ports.ts';
import { RestoredItem } from './database-items.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';
import type { LiveServer, LiveServers } from './live-servers.ts';

/** How long the modelled service takes, in seconds. */
interface ReplicaTimings {
  readonly promoteSeconds: number;
  readonly rebuildSeconds: number;
}

const defaultTimings: ReplicaTimings = { promoteSeconds: 90, rebuildSeconds: 1800 };

const KeptAside = z.strictObject({ databaseId: DatabaseId, region: Region, epoch: Epoch });

export interface MemoryReplicas extends Replicas, Failable<Replicas> {
  /** Names under which old primaries are kept: `<identifier>-old-<epoch>`. */
  keptAside(region: Region): readonly string[];
  /** Whether that rehearsal was promoted. */
  rehearsalPromoted(region: Region, restoredId: string): boolean;
}

/** Promotion takes 90 s and a new replica half an hour of its clock, unless `timings` say otherwise. */
export function memoryReplicas(settings: {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly store: ItemStore;
  readonly servers: LiveServers;
  readonly timings?: Partial<ReplicaTimings>;
}): MemoryReplicas {
  const { operations, clock, store, servers } = settings;
  const takes = { ...defaultTimings, ...settings.timings };
  const aside = items(store, 'kept-aside', KeptAside);
  const restored = items(store, 'restored-databases', RestoredItem);
  const rehearsals = items(store, 'rehearsals', z.strictObject({ promoted: z.boolean() }));
  const isAurora = (databaseId: DatabaseId) => databaseOf(operations, databaseId).engine === 'aurora-postgres';
  const later = (count: number) => timestamp(after(clock.now(), seconds(count)));

  const port = failable<Replicas>({
    async describe(databaseId, region) {
      const server = servers.find(databaseId, region);
      if (!server) return { databaseId, region, role: 'absent', status: 'available', says: 'there is none' };
      const status = statusOf(server);
      return { databaseId, region, role: server.role, status, says: status };
    },
    async promote({ databaseId, region }) {
      const server = servers.require(databaseId, region);
      if (server.role === 'primary' || server.work?.kind === 'promoting') return;
      const { follows } = server;
      servers.promote(databaseId, region, takes.promoteSeconds);
      if (!isAurora(databaseId) || !follows) return;
      // A global cluster turns the old primary into a secondary by itself.
      servers.change(databaseId, follows, { role: 'replica', follows: region, streaming: true });
    },
    async rebuild({ databaseId, region, from, epoch }) {
      const server = servers.find(databaseId, region);
      if (isAurora(databaseId) || (server?.role === 'replica' && server.follows === from)) return;
      const identifier = databaseOf(operations, databaseId).sites[region]?.identifier;
      if (!identifier) throw new NotFound(`the config has no ${databaseId} in ${region}`);
      if (server) aside.put(`${region}/${identifier}-old-${epoch}`, { databaseId, region, epoch });
      servers.follow(databaseId, region, from, takes.rebuildSeconds);
    },
    async createRehearsal({ databaseId, region, from, restoredId, expiresAt }) {
      servers.require(databaseId, from);
      const key = `${region}/${restoredId}`;
      if (restored.get(key)) return;
      const times = { createdAt: timestamp(clock.now()), availableAt: later(takes.rebuildSeconds), expiresAt: timestamp(expiresAt) };
      restored.put(key, { owner: operations.name, databaseId, region, restoredId, failed: false, from: `replica of ${from}`, ...times });
      rehearsals.put(key, { promoted: false });
    },
    async promoteRehearsal({ region, restoredId }) {
      const key = `${region}/${restoredId}`;
      const found = restored.get(key)?.value;
      if (!found) throw new NotFound(`there is no rehearsal ${restoredId} in ${region}`);
      if (!rehearsals.get(key)) throw new NotOwned(`${restoredId} in ${region} is no rehearsal of ${operations.name}`);
      if (rehearsals.get(key)?.value.promoted) return;
      rehearsals.put(key, { promoted: true });
      restored.put(key, { ...found, availableAt: later(takes.promoteSeconds) });
    },
  });
  return Object.assign(port, {
    keptAside: (region: Region) => store.list('kept-aside', `${region}/`).map(({ key }) => key.slice(region.length + 1)),
    rehearsalPromoted: (region: Region, restoredId: string) => rehearsals.get(`${region}/${restoredId}`)?.value.promoted ?? false,
  });
}

function statusOf(server: LiveServer): ReplicaState['status'] {
  if (server.failed) return 'failed';
  return server.work?.kind ?? 'available';
}
