import { paginateQuery } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { matchesFilter } from '../../audit/events/matching.ts';
import { cursorOf, EventPlace, newestFirst, placeOf, placeOfCursor } from '../../audit/events/order.ts';
import { legibleBodyOf } from '../../audit/events/recorded.ts';
import type { EventFilter, EventPage, RecordedEvent } from '../../audit/ports.ts';
import { after, days } from '../../common/duration.ts';
import { auditTableIndexes, auditTableKeys } from '../../common/names.ts';
import { parseAs } from '../../common/parse.ts';
import { readItems } from '../batch-items.ts';
import { documentsIn } from '../dynamodb.ts';
import { calling } from '../errors.ts';
import type { AwsSettings } from '../settings.ts';
import { eventOf, partitionsOf } from './event-items.ts';

type Settings = Pick<AwsSettings, 'region' | 'auditTable' | 'clock' | 'operations'>;
type Index = (typeof auditTableIndexes)[keyof typeof auditTableIndexes];

/** Nothing was recorded before Codeblue existed: where a search through the days ends. */
const firstDay = Date.UTC(2026, 0, 1);
const dayMilliseconds = 86_400_000;

/** Keys that are looked up at a time: one BatchGetItem. */
const candidatesAtATime = 100;

const IndexLine = z.object({ [auditTableKeys.partition]: z.string(), place: EventPlace });
type IndexLine = z.output<typeof IndexLine>;

/** Lines of one index partition between two places, newest first; `upTo` is not included. */
interface Range {
  readonly from: string;
  readonly upTo: string;
}

/**
 * One page of what matches. Candidates come from the index that leaves the fewest of them (those of one patient, one resource, one user, one outcome other than success,
 * one action, or else all of the time), and are read and looked at each. Indexes follow the table within a moment: what was recorded or erased just now may be missing.
 */
export async function queryEvents(
  settings: Settings,
  filter: EventFilter,
  { limit, next }: { readonly limit: number; readonly next?: string },
): Promise<EventPage> {
  const until = sortable(filter.until);
  const after = next === undefined ? undefined : placeOfCursor(next);
  const range = { from: sortable(filter.from), upTo: after !== undefined && after < until ? after : until };
  const events: RecordedEvent[] = [];
  let last: EventPlace | undefined;
  for await (const lines of inChunks(candidates(settings, filter, range, limit), Math.min(limit + 1, candidatesAtATime))) {
    for (const { event, place } of await matching(settings, filter, lines)) {
      if (events.length === limit) return { events, ...(last ? { next: cursorOf(last) } : {}) };
      events.push(event);
      last = place;
    }
  }
  return { events };
}

/** Years of four digits: others do not sort as text. */
const sortable = (time: Date): string => new Date(Math.min(Math.max(time.getTime(), 0), Date.UTC(10_000, 0) - 1)).toISOString();

/** Both phases, of every Region. */
export async function eventsOfAct(settings: Settings, actId: string): Promise<readonly RecordedEvent[]> {
  const keys: IndexLine[] = [];
  for await (const line of linesOf(settings, auditTableIndexes.byAct, actId, { from: '0', upTo: '9999' }, candidatesAtATime))
    keys.push(line);
  return (await read(settings, keys)).filter((event) => legibleBodyOf(event)?.actId === actId);
}

/** Those of the candidates that are what the index said, in their order. Where a body is none any more, the index alone knows the place. */
async function matching(settings: Settings, filter: EventFilter, lines: readonly IndexLine[]) {
  const expected = new Map(lines.map((line) => [line.eventKey, line.place]));
  const found: { readonly event: RecordedEvent; readonly place: EventPlace }[] = [];
  for (const event of await read(settings, lines)) {
    const place = expected.get(`${event.region}/${event.eventId}`);
    const body = legibleBodyOf(event);
    const isChanged = event.body !== undefined && body === undefined;
    if (place && (isChanged || place === placeOf(event, body)) && matchesFilter(filter, body, place)) found.push({ event, place });
  }
  return found.sort((a, b) => newestFirst(a.place, b.place));
}

const read = async ({ region, auditTable, clock }: Settings, lines: readonly IndexLine[]): Promise<readonly RecordedEvent[]> => {
  const keys = lines.map(({ eventKey }) => ({ eventKey }));
  return (await readItems({ documents: documentsIn(region), clock }, auditTable, keys)).map(eventOf);
};

function candidates(settings: Settings, filter: EventFilter, range: Range, limit: number): AsyncGenerator<IndexLine> {
  const { patientRef, resource, userId, outcome, action } = filter;
  const { byPatient, byResource, byUser, byOutcome, byAction, byTime } = auditTableIndexes;
  const merged = (index: Index, partitions: readonly string[]) => {
    const pageSize = Math.ceil(Math.min(limit + 1, candidatesAtATime) / partitions.length) + 4;
    return mergedByPlace(partitions.map((partition) => linesOf(settings, index, partition, range, pageSize)));
  };
  if (patientRef !== undefined) return merged(byPatient, [patientRef]);
  if (resource !== undefined) return merged(byResource, partitionsOf.byResource(resource));
  if (userId !== undefined) return merged(byUser, partitionsOf.byUser(userId));
  if (outcome !== undefined && outcome !== 'success')
    return dayByDay(settings, range, (day) => merged(byOutcome, partitionsOf.byOutcome(day, outcome)));
  if (action !== undefined) return dayByDay(settings, range, (day) => merged(byAction, partitionsOf.byAction(day, action)));
  return dayByDay(settings, range, (day) => merged(byTime, partitionsOf.byTime(day)));
}

/** From the last day of the range to the first, leaving out those before Codeblue and those to come. */
async function* dayByDay(
  { clock, operations }: Settings,
  { from, upTo }: Range,
  ofDay: (day: string) => AsyncGenerator<IndexLine>,
): AsyncGenerator<IndexLine> {
  // Clocks of applications may be ahead of ours by so much, and that of another Region a little more.
  const latest = after(after(clock.now(), operations.audit.clockSkew.ahead), days(1)).getTime();
  const first = Math.max(Date.parse(from), firstDay);
  const last = Math.min(Date.parse(upTo.slice(0, 24)), latest);
  const midnight = (time: number) => time - (time % dayMilliseconds);
  for (let time = midnight(last); time >= midnight(first); time -= dayMilliseconds) {
    yield* ofDay(new Date(time).toISOString().slice(0, 10));
  }
}

/** Lines of one partition of an index, newest first, a page at a time. */
async function* linesOf(
  { region, auditTable }: Settings,
  { name, partition, sort }: Index,
  value: string,
  { from, upTo }: Range,
  pageSize: number,
): AsyncGenerator<IndexLine> {
  if (from >= upTo) return;
  const query = {
    TableName: auditTable,
    IndexName: name,
    KeyConditionExpression: '#partition = :value AND #sort BETWEEN :from AND :upTo',
    ExpressionAttributeNames: { '#partition': partition, '#sort': sort },
    ExpressionAttributeValues: { ':value': value, ':from': from, ':upTo': upTo },
    ScanIndexForward: false,
  };
  const pages = paginateQuery({ client: documentsIn(region), pageSize }, query)[Symbol.asyncIterator]();
  for (;;) {
    const page = await calling(`search events ${name}`, () => pages.next());
    if (page.done) return;
    for (const item of page.value.Items ?? []) {
      const line = parseAs(IndexLine, item, `a line of the index ${name}`);
      if (line.place < upTo) yield line; // BETWEEN includes its upper end
    }
  }
}

/** Several sorted runs as one. Their first pages are read side by side, later ones when they are come to. */
async function* mergedByPlace(runs: readonly AsyncGenerator<IndexLine>[]): AsyncGenerator<IndexLine> {
  const heads = await Promise.all(runs.map(async (run) => ({ run, next: await run.next() })));
  for (;;) {
    let first: { run: AsyncGenerator<IndexLine>; next: IteratorResult<IndexLine> } | undefined;
    for (const head of heads) {
      if (!head.next.done && (!first || first.next.done || newestFirst(head.next.value.place, first.next.value.place) < 0)) first = head;
    }
    if (!first || first.next.done) return;
    yield first.next.value;
    first.next = await first.run.next();
  }
}

async function* inChunks<T>(all: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let chunk: T[] = [];
  for await (const each of all) {
    chunk.push(each);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
