import { z } from 'zod';
import { EventBody } from '../../audit/events/event.ts';
import { type AuditEvents, type EventFilter, type EventRef, RecordedEvent } from '../../audit/ports.ts';
import { Conflict, InvalidInput, NotFound, NotOwned } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import type { ItemStore } from '../item-store.ts';
import { items } from '../items.ts';
import { memoryAuditQueue } from './queue.ts';

/** Where an event stands in the order of queries: newest first, then by Region and id. */
const Place = z.tuple([z.string(), z.string(), z.string()]);

/**
 * The events of all Regions in one store, and the queue of this Region's sequencer beside them. The store is synchronous, so that an event and its place in the queue are
 * written in one step for everybody in this process; of two processes (the lab's files), the queue's line is written first and means nothing without its event.
 */
export function memoryAuditEvents({ store, region }: { readonly store: ItemStore; readonly region: Region }): AuditEvents {
  const events = items(store, 'audit-recorded', RecordedEvent);
  const queue = memoryAuditQueue({ store, region });
  const keyOf = (ref: EventRef) => `${ref.region} ${ref.eventId}`;

  return {
    async record(event) {
      if (event.region !== region) throw new NotOwned(`events of ${event.region} are recorded there, not in ${region}`);
      const known = events.get(keyOf(event))?.value;
      if (known) return isSameEvent(known, event) ? 'already' : 'conflict';
      queue.enqueue(event);
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
      const after = next === undefined ? undefined : placeIn(next);
      const found = events
        .list()
        .map((event) => ({ event, body: bodyOf(event), place: placeOf(event) }))
        .filter(({ body, place }) => matches(filter, body, place[0]) && (after === undefined || compare(after, place) < 0))
        .sort((a, b) => compare(a.place, b.place));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map(({ event }) => event),
        ...(found.length > limit && last ? { next: Buffer.from(JSON.stringify(last.place)).toString('base64url') } : {}),
      };
    },
    async ofAct(actId) {
      return events.list().filter((event) => bodyOf(event)?.actId === actId);
    },
    async erase(ref, erasedAt) {
      const known = events.get(keyOf(ref));
      if (!known) throw new NotFound(`there is no event ${ref.eventId} in ${ref.region}`);
      const { body: _, salt: __, ...rest } = known.value;
      events.put(keyOf(ref), { erasedAt, ...rest }, { version: known.version });
    },
  };
}

/** What two deliveries of one event may differ in: who handed it over. An erased event is taken for the same: there is nothing left to compare. */
export function isSameEvent(known: RecordedEvent, given: RecordedEvent): boolean {
  const [one, other] = [bodyOf(known), bodyOf(given)];
  if (!one || !other) return true;
  const withoutCarrier = ({ submittedBy: _, ...event }: EventBody) =>
    JSON.stringify(Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1)));
  return withoutCarrier(one) === withoutCarrier(other);
}

const bodyOf = (event: RecordedEvent): EventBody | undefined =>
  event.body === undefined ? undefined : parseAs(EventBody, JSON.parse(event.body), `the body of event ${event.eventId}`);

/** By the event's own time; an erased one has only the time at which it was recorded. */
const placeOf = (event: RecordedEvent): z.output<typeof Place> => [bodyOf(event)?.at ?? event.recordedAt, event.region, event.eventId];

function compare([atA, regionA, idA]: readonly [string, string, string], [atB, regionB, idB]: readonly [string, string, string]): number {
  if (atA !== atB) return atA > atB ? -1 : 1;
  return `${regionA} ${idA}` < `${regionB} ${idB}` ? -1 : `${regionA} ${idA}` === `${regionB} ${idB}` ? 0 : 1;
}

function matches({ from, until, ...wanted }: EventFilter, body: EventBody | undefined, at: string): boolean {
  if (Date.parse(at) < from.getTime() || Date.parse(at) >= until.getTime()) return false;
  return Object.entries(wanted).every(
    ([name, value]) =>
      value === undefined || (body !== undefined && Object.entries(body).some(([key, has]) => key === name && has === value)),
  );
}

function placeIn(next: string): z.output<typeof Place> {
  try {
    return Place.parse(JSON.parse(Buffer.from(next, 'base64url').toString()));
  } catch (error) {
    throw new InvalidInput(`"${next.slice(0, 40)}" is not the end of a page`, {
      hint: 'Pass on `next` as the page before gave it.',
      cause: error,
    });
  }
}
