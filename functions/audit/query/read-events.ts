import type { Clock } from '../../common/clock.ts';
import { InvalidInput } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { AuditEvents, AuditLog, EventFilter, EventPage, EventRef, RecordedEvent } from '../ports.ts';
import { auditRead, type Reader, type ReadNote, startedRead } from './audited-read.ts';

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
  const asked = { ...idsOf(filter), limit, ...(next === undefined ? {} : { next }) };
  return auditRead(ports, reader, asked, async () => {
    const page = await ports.auditEvents.query(filter, { limit, ...(next === undefined ? {} : { next }) });
    return { result: page, found: page.events.length };
  });
}

/** Events by their ids; what is unknown is left out. Audited as a page is. @throws ServiceUnavailable */
export async function readNamedEvents(ports: ReadPorts, refs: readonly EventRef[], reader: Reader): Promise<readonly RecordedEvent[]> {
  const asked = { events: refs.length, first: refs[0] ? `${refs[0].region}/${refs[0].eventId}` : null };
  return auditRead(ports, reader, asked, async () => {
    const events = await ports.auditEvents.get(refs);
    return { result: events, found: events.length };
  });
}

/** Events that are asked for at a time while a stream is read: about a megabyte at 1 KB each. */
const STREAM_PAGE = 500;

/**
 * All events that match, newest first, one page in memory at a time. Two events of Codeblue's own: that a reading began, before the first event is given, and how it ended,
 * also when whoever reads stops early or an error stops them.
 *
 * @throws ServiceUnavailable
 */
export async function* streamEvents(ports: ReadPorts, filter: EventFilter, reader: Reader): AsyncGenerator<RecordedEvent, void, undefined> {
  const reading: ReadNote = await startedRead(ports, reader, idsOf(filter));
  let given = 0;
  let whole = false;
  try {
    let next: string | undefined;
    do {
      const page = await ports.auditEvents.query(filter, { limit: STREAM_PAGE, ...(next === undefined ? {} : { next }) });
      for (const event of page.events) {
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

/** A filter as the read's own event holds it: in its body, which is no part of a leaf. */
function idsOf({ from, until, ...wanted }: EventFilter): Readonly<Record<string, string>> {
  const words = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return { from: from.toISOString(), until: until.toISOString(), ...Object.fromEntries(words) };
}
