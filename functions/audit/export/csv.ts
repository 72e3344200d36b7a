import { parseJsonAs } from '../../common/parse.ts';
import type { EventBody } from '../events/event.ts';
import { EventLeaf } from '../events/leaf.ts';
import { bodyOf } from '../events/recorded.ts';
import type { RecordedEvent } from '../ports.ts';

const columns: readonly (readonly [string, (event: RecordedEvent, leaf: EventLeaf, body: EventBody | undefined) => string | undefined])[] =
  [
    ['region', ({ region }) => region],
    ['eventId', ({ eventId }) => eventId],
    ['at', (_, __, body) => body?.at],
    ['recordedAt', ({ recordedAt }) => recordedAt],
    ['userId', (_, __, body) => body?.userId],
    ['action', (_, { action }) => action],
    ['resource', (_, __, body) => body?.resource],
    ['outcome', (_, { outcome }) => outcome],
    ['service', (_, __, body) => body?.service],
    ['patientRef', (_, __, body) => body?.patientRef],
    ['purpose', (_, __, body) => body?.purpose],
    ['ipAddress', (_, __, body) => body?.ipAddress],
    ['userAgent', (_, __, body) => body?.userAgent],
    ['submittedBy', (_, __, body) => body?.submittedBy],
    ['actId', (_, __, body) => body?.actId],
    ['phase', (_, __, body) => body?.phase],
    ['details', (_, __, body) => body?.details && JSON.stringify(body.details)],
    ['erasedAt', ({ erasedAt }) => erasedAt],
    ['commitment', (_, { commitment }) => commitment],
  ];

/**
 * RFC 4180: a header, CRLF after each record, quotes where they are needed. UTF-8.
 *
 * A cell that a spreadsheet would take for a formula (it begins with = + - @, tab or carriage return) gets an apostrophe before it, as OWASP's "CSV injection" advises:
 * what an application sent is never to run at whoever opens the file. NDJSON has every value as it was.
 */
export async function* exportCsv(events: AsyncIterable<RecordedEvent>): AsyncGenerator<string, void, undefined> {
  yield record(columns.map(([name]) => name));
  for await (const event of events) {
    const leaf = parseJsonAs(EventLeaf, event.leaf, `the leaf of event ${event.eventId}`);
    const body = bodyOf(event);
    yield record(columns.map(([, value]) => value(event, leaf, body) ?? ''));
  }
}

const record = (cells: readonly string[]): string => `${cells.map(cellOf).join(',')}\r\n`;

function cellOf(value: string): string {
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
