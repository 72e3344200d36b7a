import type { Clock } from '../../common/clock.ts';
import { InvalidInput } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import { PatientRef } from '../events/event.ts';
import { cursorOf, placeOfCursor } from '../events/order.ts';
import type { AuditEvents, AuditLog, EventFilter, EventPage, EventRef, RecordedEvent } from '../ports.ts';
import { type Asked, auditRead, type Reader, type ReadNote, startedRead } from './audited-read.ts';

export interface ReadPorts {
  readonly auditEvents: Pick<AuditEvents, 'get' | 'query'>;
  readonly auditLog: AuditLog;
  readonly clock: Clock;
  readonly region: Region;
}

/** Most events of one page. */
export const PAGE_LIMIT = 1000;

/**
 * A page of events, newest first. That somebody read it is in the log before anybody sees it (row A7), also when nothing was found: a read whose own event cannot be recorded
 * gives nothing.
 *
 * @throws InvalidInput for a limit or a `next` that is none; ServiceUnavailable
 */
export async function readEvents(
  ports: ReadPorts,
  filter: EventFilter,
  { limit, next, ...reader }: Reader & { readonly limit: number; readonly next?: string | undefined },
): Promise<EventPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_LIMIT)
    throw new InvalidInput(`${limit} is no limit of a page`, { hint: `Wanted: 1 to ${PAGE_LIMIT}.` });
  const wanted: { limit: number; next?: string } = { limit, ...(next === undefined ? {} : { next: cursorOf(placeOfCursor(next)) }) };
  return auditRead(ports, reader, askedBy(filter, wanted), async () => {
    const page = await ports.auditEvents.query(filter, wanted);
    return { result: page, found: page.events.length };
  });
}

/** Events whose ids fit one detail of the reading that names them (4096 characters). */
const NAMED = 50;

/** Events by their ids; what is unknown is left out. Audited as a page is: each fifty are a reading, which names them. @throws ServiceUnavailable */
export async function readNamedEvents(ports: ReadPorts, refs: readonly EventRef[], reader: Reader): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for (let from = 0; from < refs.length; from += NAMED) {
    const some = refs.slice(from, from + NAMED);
    const details = { count: some.length, events: some.map(({ region, eventId }) => `${region}/${eventId}`).join(' ') };
    found.push(
      ...(await auditRead(ports, reader, { details }, async () => {
        const events = await ports.auditEvents.get(some);
        return { result: events, found: events.length };
      })),
    );
  }
  return found;
}

/** Events that are asked for at a time while a stream is read: about a megabyte at 1 KB each. */
const STREAM_PAGE = 500;

/**
 * All events that match, newest first, one page in memory at a time. Two events of Codeblue's own: that a reading began, before the first event is given, and how it ended,
 * also when whoever reads stops early or an error stops them. Its own beginning is not among what it gives.
 *
 * @throws ServiceUnavailable
 */
export async function* streamEvents(ports: ReadPorts, filter: EventFilter, reader: Reader): AsyncGenerator<RecordedEvent, void, undefined> {
  const reading: ReadNote = await startedRead(ports, reader, askedBy(filter));
  let given = 0;
  let whole = false;
  try {
    let next: string | undefined;
    do {
      const page = await ports.auditEvents.query(filter, { limit: STREAM_PAGE, ...(next === undefined ? {} : { next }) });
      for (const event of page.events) {
        if (event.body?.includes(reading.actId)) continue; // an index that lags would find it or not
        given += 1;
        yield event;
      }
      next = page.next;
    } while (next !== undefined);
    whole = true;
  } finally {
    await reading.ended(whole ? 'success' : 'failure', { found: given });
  }
}

/**
 * A filter as the reading's own event holds it: in its body, which is no part of a leaf. Whoever looks for the resource `Patient/<id>` looks for that patient. The ids of users
 * and of other resources are details: they are those of people at work and of things.
 */
function askedBy(
  { from, until, patientRef: given, ...wanted }: EventFilter,
  { limit, next }: { readonly limit?: number; readonly next?: string } = {},
): Asked {
  const patientRef = given ?? patientOf(wanted.resource);
  const words = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const details = {
    from: from.toISOString(),
    until: until.toISOString(),
    ...Object.fromEntries(words),
    ...(limit === undefined ? {} : { limit }),
    ...(next === undefined ? {} : { next }),
  };
  return { ...(patientRef === undefined ? {} : { patientRef }), details };
}

const patientOf = (resource: string | undefined): PatientRef | undefined =>
  PatientRef.safeParse(resource?.match(/^Patient\/(.+)$/)?.[1]).data;
