import { isDeepStrictEqual } from 'node:util';
import { isSameEvent } from '../../functions/audit/events/recorded.ts';
import type { AuditEvents, AuditHead, AuditObjects, AuditQueue, CheckpointSigner, Witnesses } from '../../functions/audit/ports.ts';
import { Conflict, NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import { isSame, type LogStore } from './log-store.ts';

/** One request of a process, by its name, and what it does when it arrives. */
export type Call = <T>(name: string, effect: () => T) => Promise<T>;

export interface SimulatedPorts {
  readonly auditEvents: Pick<AuditEvents, 'record' | 'erase'>;
  readonly auditHead: AuditHead;
  readonly auditQueue: Pick<AuditQueue, 'pending' | 'leaves' | 'settle'>;
  readonly auditObjects: Pick<AuditObjects, 'get' | 'create' | 'publishCheckpoint'>;
  readonly checkpointSigner: CheckpointSigner;
  readonly witnesses: Witnesses;
}

/** Events of one write when places are noted: DynamoDB takes 25, and a few are enough to be left half done. */
const settledAtOnce = 3;

/** The ports as the AWS adapters make them out of single requests, so that a process can die, stand still or be misheard between any two. */
export function simulatedPorts(
  store: LogStore,
  call: Call,
  { signer, witnesses }: { readonly signer: CheckpointSigner; readonly witnesses: Witnesses },
): SimulatedPorts {
  return {
    auditEvents: eventsOf(store, call),
    auditHead: headOf(store, call),
    auditQueue: queueOf(store, call),
    auditObjects: objectsOf(store, call),
    checkpointSigner: signer,
    witnesses,
  };
}

const eventsOf = (store: LogStore, call: Call): SimulatedPorts['auditEvents'] => ({
  async record(event) {
    if (await call('events.record', () => store.record(event))) return 'recorded';
    const known = await call('events.get', () => store.recorded.get(event.eventId));
    if (!known) throw new ServiceUnavailable(`event ${event.eventId} is not recorded yet`);
    return isSameEvent(known, event) ? 'already' : 'conflict';
  },
  erase: (ref, at) => call('events.erase', () => store.erase(ref, at)),
});

/** A conditional write that is refused may be the repetition of one that stands: what stands tells. */
function headOf(store: LogStore, call: Call): AuditHead {
  const read = () => call('head.read', () => store.head);
  const batch = (batchId: string) => call('head.batch', () => store.batches.get(batchId));
  return {
    read,
    write: async (next) => (await call('head.write', () => store.writeHead(next))) || isDeepStrictEqual(await read(), next),
    async putBatch(next) {
      if (await call('head.put-batch', () => store.putBatch(next))) return;
      if (!isDeepStrictEqual(await batch(next.batchId), next)) throw new Conflict(`another batch is stored as ${next.batchId}`);
    },
    batch,
  };
}

/** What waits is found by the index and read consistently before it is told. */
const queueOf = (store: LogStore, call: Call): SimulatedPorts['auditQueue'] => ({
  async pending(limit) {
    const shown = await call('queue.index', () => store.shownAsWaiting(limit));
    const items = shown.length === 0 ? [] : await call('queue.items', () => store.items(shown));
    return items.flatMap(({ place, ...entry }) => (place ? [] : [entry]));
  },
  async leaves(eventIds) {
    const items = await call('queue.leaves', () => store.items(eventIds));
    if (items.length < eventIds.length) throw new NotFound('an event was never recorded');
    return new Map(items.map(({ eventId, leaf }) => [eventId, leaf]));
  },
  async settle(places) {
    const all = [...places];
    const parts = all.flatMap((_, index) => (index % settledAtOnce === 0 ? [all.slice(index, index + settledAtOnce)] : []));
    await Promise.all(parts.map((part) => call('queue.settle', () => store.settle(part))));
  },
});

function objectsOf(store: LogStore, call: Call): SimulatedPorts['auditObjects'] {
  const get = (path: string) => call('objects.get', () => store.objects.get(path));
  return {
    get: (_, path) => get(path),
    async create(path, bytes) {
      if (await call('objects.create', () => store.createObject(path, bytes))) return;
      if (!isSame(await get(path), bytes)) throw new Conflict(`${path} is stored already with other content`);
    },
    async publishCheckpoint(path, note, previous) {
      const stands = await get(path);
      if (!isSame(stands, previous)) return false;
      if (await call('objects.publish', () => store.replaceCheckpoint(path, note, stands))) return true;
      return isSame(await get(path), note);
    },
  };
}
