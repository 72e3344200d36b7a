import type { Clock } from '../../common/clock.ts';
import { after, minutes, seconds, secondsBetween } from '../../common/duration.ts';
import { inParallel } from '../../common/in-parallel.ts';
import type { Operations } from '../../common/operations.ts';
import { isErasable } from '../erase/erasable.ts';
import { bodyOf } from '../events/recorded.ts';
import { TILE_WIDTH } from '../log/models.ts';
import type { AuditEvents, EventRef, RecordedEvent } from '../ports.ts';
import type { AuthenticLog } from './authentic-log.ts';
import type { Finding, LogRef } from './finding.ts';
import { type Entry, eventOfEntry, judgeEntry } from './judge-event.ts';

/** Bundles that are read and hashed at a time, 75 KB each. */
const bundlesAtATime = 16;
/** An erasing says what it will erase before it begins, and takes seconds. */
const erasureLasts = minutes(15);
const erasuresAtATime = 100;

/** Entries of one bundle, told apart by their index in the log. */
export type EachBundle = (entries: readonly Entry[]) => Promise<void>;

/**
 * Reads entries `from` to `until`, each authenticated by the signed root, a bundle at a time and several side by side.
 *
 * @throws LogRewritten, LogDamaged: at once, the rest is not read
 */
export async function readEntries(
  log: AuthenticLog,
  ref: LogRef,
  { from, until }: { readonly from: number; readonly until: number },
  each: EachBundle,
): Promise<void> {
  const first = Math.floor(from / TILE_WIDTH);
  const bundles = Array.from({ length: Math.ceil(until / TILE_WIDTH) - first }, (_, index) => first + index);
  await inParallel(bundlesAtATime, bundles, async (bundle) => {
    const entries = (await log.entries(bundle)).map((bytes, at): Entry => ({ ...ref, index: bundle * TILE_WIDTH + at, bytes }));
    await each(entries.filter(({ index }) => index >= from && index < until));
  });
}

export interface EventPorts {
  readonly auditEvents: Pick<AuditEvents, 'get' | 'query'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly operations: Pick<Operations, 'audit'>;
}

/** Entries against the events of the table: those that are missing or altered, and those whose body is gone and no erasing of it is recorded. */
export async function judgeEntries(
  entries: readonly Entry[],
  { auditEvents, clock, operations }: EventPorts,
): Promise<{ readonly findings: readonly Finding[]; readonly erased: number }> {
  const refs = entries.map(eventOfEntry);
  const events = new Map((await auditEvents.get(refs.filter((ref) => ref !== undefined))).map((event) => [event.eventId, event]));
  const findings: Finding[] = [];
  const erased: { readonly entry: Entry; readonly event: RecordedEvent }[] = [];
  for (const [at, entry] of entries.entries()) {
    const event = refs[at] && events.get(refs[at].eventId);
    const verdict = judgeEntry(entry, event);
    if (verdict === 'erased' && event) erased.push({ entry, event });
    else if (typeof verdict !== 'string') findings.push(verdict);
  }
  // The act of an erasing in another Region may come here after what it did: the next look has it.
  const isYoung = ({ erasedAt }: RecordedEvent) =>
    erasedAt !== undefined && Math.abs(secondsBetween(new Date(erasedAt), clock.now())) < operations.audit.watch.integratedWithin;
  const old = erased.filter(({ event }) => !isYoung(event));
  const recorded = await recordedErasures(
    old.map(({ event }) => event),
    auditEvents,
  );
  for (const { entry, event } of old) {
    if (recorded.has(nameOf(event)) && isErasable(event)) continue;
    const { region, generation } = entry;
    findings.push({
      code: 'AuditBodyAltered',
      region,
      generation,
      subject: event.eventId,
      says: isErasable(event)
        ? `the body of event ${event.eventId} is gone, and no erasing of it is recorded`
        : `the body of event ${event.eventId} is gone, and it is an act of Codeblue, which is never erased`,
    });
  }
  return { findings, erased: erased.length };
}

const nameOf = ({ region, eventId }: EventRef): string => `${region}/${eventId}`;

/** Which of these erased events some act `audit.erase` names, among those that began shortly before their bodies went. */
async function recordedErasures(erased: readonly RecordedEvent[], auditEvents: Pick<AuditEvents, 'query'>): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (const erasedAt of new Set(erased.map((event) => event.erasedAt))) {
    if (erasedAt === undefined) continue;
    const at = new Date(erasedAt);
    const filter = { from: new Date(at.getTime() - erasureLasts * 1000), until: after(at, seconds(1)), action: 'audit.erase' };
    let next: string | undefined;
    do {
      const page = await auditEvents.query(filter, { limit: erasuresAtATime, ...(next === undefined ? {} : { next }) });
      for (const act of page.events) for (const name of namesIn(act)) named.add(name);
      next = page.next;
    } while (next !== undefined);
  }
  return named;
}

/** What an act of erasing names: `details.events`, apart by spaces. Only Codeblue's own word counts. */
function namesIn(act: RecordedEvent): readonly string[] {
  const body = bodyOf(act);
  const events = body?.submittedBy === 'codeblue' ? body.details?.events : undefined;
  return typeof events === 'string' ? events.split(' ') : [];
}
