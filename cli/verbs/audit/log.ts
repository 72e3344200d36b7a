import type { EventBody } from '../../../functions/audit/events/event.ts';
import { EventLeaf } from '../../../functions/audit/events/leaf.ts';
import { bodyOf } from '../../../functions/audit/events/recorded.ts';
import type { EventFilter, RecordedEvent } from '../../../functions/audit/ports.ts';
import type { Reader } from '../../../functions/audit/query/audited-read.ts';
import { readEvents } from '../../../functions/audit/query/read-events.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { parseJsonAs } from '../../../functions/common/parse.ts';
import { type Cell, table } from '../../render/table.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';

export const auditLogPorts = ['auditEvents', 'auditLog'] as const;

/** An event as the log and the table have it. */
export interface ListedEvent {
  readonly region: string;
  readonly eventId: string;
  readonly recordedAt: string;
  readonly leaf: EventLeaf;
  /** Absent once it is erased. */
  readonly body?: EventBody;
  readonly erasedAt?: string;
}

export interface EventList {
  readonly events: readonly ListedEvent[];
  /** For `--next`: the place where the page ended, a dot, and from when on all pages look (milliseconds since 1970, base 36). */
  readonly next?: string;
}

/**
 * A page, newest first; that it was read is in the log before it is returned. What follows looks from when on the first page did: "the last 24 hours" go on, and would leave
 * out more with every page that somebody reads slowly.
 *
 * @throws InvalidInput, ServiceUnavailable
 */
export async function listEvents(
  session: Session<(typeof auditLogPorts)[number]>,
  filter: EventFilter,
  { next: given, ...page }: Reader & { readonly limit: number; readonly next?: string | undefined },
): Promise<EventList> {
  const [place, since] = given?.split('.') ?? [];
  const from = since === undefined ? filter.from : timeIn(since);
  const { events, next } = await readEvents({ ...session.ports, ...session }, { ...filter, from }, { ...page, next: place });
  return { events: events.map(listed), ...(next === undefined ? {} : { next: `${next}.${Math.max(from.getTime(), 0).toString(36)}` }) };
}

function timeIn(since: string): Date {
  const time = new Date(Number.parseInt(since, 36));
  if (/^[0-9a-z]+$/.test(since) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidInput('what was given for --next is not the end of a page', { hint: 'Pass it on as the page before gave it.' });
}

function listed(event: RecordedEvent): ListedEvent {
  const { region, eventId, recordedAt, erasedAt } = event;
  const body = bodyOf(event);
  return {
    ...{ region, eventId, recordedAt, leaf: parseJsonAs(EventLeaf, event.leaf, `the leaf of event ${eventId}`) },
    ...(body === undefined ? {} : { body }),
    ...(erasedAt === undefined ? {} : { erasedAt }),
  };
}

export function renderEventList({ events, next }: EventList, { colours }: Pick<Terminal, 'colours'>): string {
  if (events.length === 0) return 'No event fits. (That you looked is in the log.)';
  const rows = events.map(({ region, eventId, recordedAt, leaf, body, erasedAt }): Cell[] => [
    `${(body?.at ?? recordedAt).slice(0, 19)}Z`,
    body?.userId ?? { text: `erased ${erasedAt?.slice(0, 10) ?? ''}`, paint: colours.dim },
    leaf.action,
    leaf.outcome === 'success' ? leaf.outcome : { text: leaf.outcome, paint: colours.red },
    body?.resource ?? '-',
    body?.patientRef ?? '-',
    body?.service ?? '-',
    `${region}/${eventId}`,
  ]);
  const header = ['WHEN', 'WHO', 'ACTION', 'OUTCOME', 'WHAT', 'PATIENT', 'SERVICE', 'EVENT'];
  return [table(header, rows, colours.bold), ...(next === undefined ? [] : ['', `More: the same again with --next ${next}`])].join('\n');
}
