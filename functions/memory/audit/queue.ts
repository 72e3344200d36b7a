import { z } from 'zod';
import { EventId } from '../../audit/events/event.ts';
import type { AuditQueue, PendingEntry, Place } from '../../audit/ports.ts';
import { NotFound } from '../../common/errors.ts';
import { type Region, Timestamp } from '../../common/ids.ts';
import type { ItemStore } from '../item-store.ts';
import { items } from '../items.ts';

const Waiting = z.strictObject({ eventId: EventId, recordedAt: Timestamp, leaf: z.string() });
const Settled = z.strictObject({ generation: z.int(), index: z.int() });

export interface MemoryAuditQueue extends AuditQueue {
  /** What recording an event does in the same step. */
  enqueue(entry: PendingEntry): void;
}

/** One Region's queue. What waits and what is settled are two collections, so that listing what waits costs nothing of what does not. */
export function memoryAuditQueue({ store, region }: { readonly store: ItemStore; readonly region: Region }): MemoryAuditQueue {
  const waiting = items(store, `audit-waiting-${region}`, Waiting);
  const leaves = items(store, `audit-leaves-${region}`, Waiting);
  const places = items(store, `audit-places-${region}`, Settled);
  return {
    enqueue({ eventId, recordedAt, leaf }) {
      leaves.put(eventId, { eventId, recordedAt, leaf });
      if (!places.get(eventId)) waiting.put(eventId, { eventId, recordedAt, leaf });
    },
    async pending(limit) {
      return [...waiting.list()]
        .sort((a, b) => (a.recordedAt === b.recordedAt ? (a.eventId < b.eventId ? -1 : 1) : a.recordedAt < b.recordedAt ? -1 : 1))
        .slice(0, limit);
    },
    async leaves(eventIds) {
      return new Map(
        eventIds.map((eventId) => {
          const found = leaves.get(eventId);
          if (!found) throw new NotFound(`event ${eventId} was never recorded in ${region}`);
          return [eventId, found.value.leaf];
        }),
      );
    },
    async settle(settled: ReadonlyMap<EventId, Place>) {
      for (const [eventId, place] of settled) {
        places.put(eventId, place);
        waiting.delete(eventId);
      }
    },
    async place(eventId) {
      return places.get(eventId)?.value;
    },
    async places(eventIds) {
      return new Map(
        eventIds.flatMap((eventId) => {
          const place = places.get(eventId)?.value;
          return place ? [[eventId, place] as const] : [];
        }),
      );
    },
  };
}
