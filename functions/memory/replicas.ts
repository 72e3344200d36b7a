import { z } from 'zod';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { InvalidInput, NotFound, NotOwned } from '../common/errors.ts';
import { DatabaseId, Region, Timestamp, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { Epoch } from '../failover/models.ts';
import type { ReplicaState, Replicas, SwapRequest } from '../failover/ports.ts';
import { RestoredItem } from './database-items.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';
import type { LiveServer, LiveServers } from './live-servers.ts';

/** How long the modelled service takes, in seconds. */
interface ReplicaTimings {
  readonly promoteSeconds: number;
  readonly rebuildSeconds: number;
  readonly prepareSeconds: number;
  readonly renameSeconds: number;
}

const defaultTimings: ReplicaTimings = { promoteSeconds: 90, rebuildSeconds: 1800, prepareSeconds: 600, renameSeconds: 60 };

/** `renamedAt`: from then on its old name is free. */
const KeptAside = z.strictObject({ databaseId: DatabaseId, region: Region, epoch: Epoch, renamedAt: Timestamp.optional() });

export interface MemoryReplicas extends Replicas, Failable<Replicas> {
  /** Names under which old primaries and damaged ones are kept: `<identifier>-old-<epoch>`, `<identifier>-damaged-<epoch>`. */
  keptAside(region: Region): readonly string[];
  /** Whether that rehearsal was promoted. */
  rehearsalPromoted(region: Region, restoredId: string): boolean;
}

/**
 * Promotion takes 90 s of its clock, a new replica half an hour, making a copy fit for the live one's place 10 min and each renaming 1 min, unless
 * `timings` say otherwise.
 */
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
  const isPast = (time: Timestamp) => Date.parse(time) <= clock.now().getTime();
  const identifierOf = (databaseId: DatabaseId, region: Region): string => {
    const identifier = databaseOf(operations, databaseId).sites[region]?.identifier;
    if (!identifier) throw new NotFound(`the config has no ${databaseId} in ${region}`);
    return identifier;
  };

  function describe(databaseId: DatabaseId, region: Region): ReplicaState {
    const server = servers.find(databaseId, region);
    if (!server) return { databaseId, region, role: 'absent', status: 'available', says: 'there is none' };
    const status = statusOf(server);
    return { databaseId, region, role: server.role, status, says: server.work?.kind ?? status };
  }

  /** The copy, if it is there. @throws NotOwned, InvalidInput */
  function copyFor({ databaseId, region, restoredId }: SwapRequest): RestoredItem | undefined {
    if (isAurora(databaseId))
      throw new InvalidInput(`${databaseId} is an Aurora cluster of a global database: no other can take its place`);
    const copy = restored.get(`${region}/${restoredId}`)?.value;
    if (!copy || (copy.goneAt !== undefined && isPast(copy.goneAt))) return undefined;
    if (copy.owner === operations.name && copy.databaseId === databaseId) return copy;
    throw new NotOwned(`${restoredId} in ${region} is no copy of ${databaseId} that ${operations.name} restored`);
  }

  const port = failable<Replicas>({
    describe: async (databaseId, region) => describe(databaseId, region),
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
      const identifier = identifierOf(databaseId, region);
      if (server) aside.put(`${region}/${identifier}-old-${epoch}`, { databaseId, region, epoch });
      servers.follow(databaseId, region, from, takes.rebuildSeconds);
    },
    async prepareSwap(request) {
      const { databaseId, region, restoredId } = request;
      const copy = copyFor(request);
      if (!copy) throw new NotFound(`there is no restored copy ${restoredId} in ${region}`);
      if (servers.require(databaseId, region).role !== 'primary') throw new InvalidInput(`${databaseId} in ${region} is no primary`);
      const told = (status: ReplicaState['status'], says: string): ReplicaState => ({ databaseId, region, role: 'primary', status, says });
      if (copy.failed || copy.goneAt) return told('failed', copy.failed ? 'failed' : 'deleting');
      const { standsIn } = copy;
      if (!standsIn) restored.put(`${region}/${restoredId}`, { ...copy, standsIn: { deletionProtected: false } });
      else if (!standsIn.fitAt && isPast(copy.availableAt)) {
        restored.put(`${region}/${restoredId}`, { ...copy, standsIn: { ...standsIn, fitAt: later(takes.prepareSeconds) } });
      }
      return standsIn?.fitAt && isPast(standsIn.fitAt) ? told('available', 'available') : told('creating', 'being made fit');
    },
    async swapIn(request) {
      const { databaseId, region, restoredId, epoch } = request;
      const copy = copyFor(request);
      const name = `${region}/${identifierOf(databaseId, region)}-damaged-${epoch}`;
      const renamedAt = aside.get(name)?.value.renamedAt;
      if (!copy && !renamedAt) throw new NotFound(`there is no restored copy ${restoredId} in ${region}`);
      if (copy && !renamedAt) {
        const { standsIn } = copy;
        if (!standsIn?.fitAt || !isPast(standsIn.fitAt)) throw new InvalidInput(`${restoredId} in ${region} is not prepared`);
        restored.put(`${region}/${restoredId}`, { ...copy, standsIn: { ...standsIn, deletionProtected: true } });
        aside.put(name, { databaseId, region, epoch, renamedAt: later(takes.renameSeconds) });
        servers.renameAway(databaseId, region);
      } else if (copy && renamedAt && isPast(renamedAt)) {
        const shows = new Date(copy.shows ?? copy.createdAt);
        servers.standIn(databaseId, region, { key: `${region}/${restoredId}`, shows }, takes.renameSeconds);
        restored.delete(`${region}/${restoredId}`);
      }
      return describe(databaseId, region);
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
  return server.work?.kind === 'renaming' ? 'promoting' : (server.work?.kind ?? 'available');
}
