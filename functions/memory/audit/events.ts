import { z } from 'zod';
import { isErasable } from '../../audit/erase/erasable.ts';
import { matchesFilter } from '../../audit/events/matching.ts';
import { cursorOf, newestFirst, placeOf, placeOfCursor } from '../../audit/events/order.ts';
import { bodyOf, isSameEvent, legibleBodyOf } from '../../audit/events/recorded.ts';
import { type AuditEvents, type EventRef, RecordedEvent } from '../../audit/ports.ts';
import { Conflict, InvalidInput, NotFound, NotOwned } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { ItemStore } from '../item-store.ts';
import { items } from '../items.ts';
import { memoryAuditQueue } from './queue.ts';

/**
 * The events of all Regions in one store, and the queue of this Region's sequencer beside them. The store is synchronous, so that an event and its place in the queue are
 * written in one step for everybody in this process; of two processes (the lab's files), the lines beside it are written first and mean nothing without the event.
 */
export function memoryAuditEvents({ store, region }: { readonly store: ItemStore; readonly region: Region }): AuditEvents {
  const events = items(store, 'audit-recorded', RecordedEvent);
  /** Keys of events by their act: `<actId> <key>`, and the key. */
  const acts = items(store, 'audit-acts', z.string());
  const queue = memoryAuditQueue({ store, region });
  const keyOf = (ref: EventRef) => `${ref.region} ${ref.eventId}`;
  const actKey = (actId: string, event: EventRef) => `${actId} ${keyOf(event)}`;

  return {
    async record(event) {
      if (event.region !== region) throw new NotOwned(`events of ${event.region} are recorded there, not in ${region}`);
      const known = events.get(keyOf(event))?.value;
      if (known) return isSameEvent(known, event) ? 'already' : 'conflict';
      queue.enqueue(event);
      const actId = bodyOf(event)?.actId;
      if (actId !== undefined) acts.put(actKey(actId, event), keyOf(event));
      try {
        events.put(keyOf(event), event, 'absent');
      } catch (error) {
        if (!(error instanceof Conflict)) throw error; // another process was first
        return 'already';
      }
      return 'recorded';
    },
    async get(refs) {
      return refs.flatMap((ref) => events.get(keyOf(ref))?.value ?? []);
    },
    async query(filter, { limit, next }) {
      const after = next === undefined ? undefined : placeOfCursor(next);
      const found = events
        .list()
        .map((event) => ({ event, body: legibleBodyOf(event) }))
        .map(({ event, body }) => ({ event, body, place: placeOf(event, body) }))
        .filter(({ body, place }) => matchesFilter(filter, body, place) && (after === undefined || newestFirst(after, place) < 0))
        .sort((a, b) => newestFirst(a.place, b.place));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map(({ event }) => event),
        ...(found.length > limit && last ? { next: cursorOf(last.place) } : {}),
      };
    },
    async ofAct(actId) {
      return acts.list(`${actId} `).flatMap((key) => {
        const event = events.get(key)?.value;
        return event && bodyOf(event)?.actId === actId ? [event] : [];
      });
    },
    async erase(ref, erasedAt) {
      const known = events.get(keyOf(ref));
      if (!known) throw new NotFound(`there is no event ${ref.eventId} in ${ref.region}`);
      if (!isErasable(known.value)) throw new InvalidInput(`event ${ref.eventId} is an act of Codeblue, which is never erased`);
      const { body, salt: _, ...rest } = known.value;
      events.put(keyOf(ref), { erasedAt, ...rest }, { version: known.version });
      const actId = body && bodyOf(known.value)?.actId;
      if (actId) acts.delete(actKey(actId, ref));
    },
  };
}
