import { LogDamaged } from '../errors.ts';
import type { RecordedEvent } from '../ports.ts';
import type { AuthenticLog } from './authentic-log.ts';
import { judgePlaces, type Placed } from './judge-places.ts';
import { openPinned, pinLogs, type Verification } from './verification.ts';
import type { VerifyContext } from './verify-audit-log.ts';
import type { Piece } from './verify-entries.ts';

/** Events of a piece: one page. */
const pageEvents = 500;
/** Waiting events, among which one without a place may be. */
const pendingLimit = 2048;

/**
 * The next page of events, newest first, against their places in the log. Only those of this Region that were recorded long enough before the verification began: what is
 * younger may rightly wait. All Regions' events are in one table; each Region verifies its own.
 */
export async function verifyEvents(state: Verification, startedAt: Date, context: VerifyContext): Promise<Piece> {
  const { region, operations, auditEvents } = context;
  const bound = new Date(startedAt.getTime() - operations.audit.watch.integratedWithin * 1000);
  // By the events' own times, which may be ahead of ours; when they were recorded counts.
  const until = new Date(startedAt.getTime() + operations.audit.clockSkew.ahead * 1000);
  const page = await auditEvents.query(
    { from: new Date(0), until },
    { limit: pageEvents, ...(state.next === undefined ? {} : { next: state.next }) },
  );
  const own = page.events.filter((event) => event.region === region && new Date(event.recordedAt) < bound);
  const findings = await judgeOwn(own, state, context);
  const { next: _, ...rest } = state;
  const counted = { ...rest, events: state.events + own.length };
  return { state: page.next === undefined ? { ...counted, phase: 'done' } : { ...counted, next: page.next }, findings };
}

async function judgeOwn(events: readonly RecordedEvent[], state: Verification, context: VerifyContext) {
  const { auditQueue } = context;
  const places = await auditQueue.places(events.map(({ eventId }) => eventId));
  const open = events.filter(({ eventId }) => !places.has(eventId));
  const pending = open.length > 0 ? await auditQueue.pending(pendingLimit) : [];
  // Settled in between: it neither waited nor had its place in time to be seen.
  const late = await auditQueue.places(open.map(({ eventId }) => eventId));
  const waiting = new Set(pending.map(({ eventId }) => eventId));
  const placed = events.map((event): Placed => {
    const place = places.get(event.eventId) ?? late.get(event.eventId);
    // Of a queue that is longer than what was read of it, nobody knows who waits.
    return { event, place, waits: waiting.has(event.eventId) || pending.length === pendingLimit };
  });
  const newest = state.logs.at(-1)?.generation ?? context.operations.audit.generation;
  return judgePlaces(placed, newest, await logsFor(placed, state, context));
}

/** The logs as they were pinned; where some event has a place beyond their end (it waited when the verification began), as they are now. */
async function logsFor(placed: readonly Placed[], state: Verification, context: VerifyContext) {
  const { region } = context;
  const isBeyond = ({ place }: Placed) =>
    place !== undefined && place.index >= (state.logs.find(({ generation }) => generation === place.generation)?.size ?? 0);
  const { logs, findings } = placed.some(isBeyond) ? await pinLogs(region, context) : { logs: state.logs, findings: [] };
  const opened = new Map<number, Promise<AuthenticLog>>();
  return async (generation: number): Promise<AuthenticLog | undefined> => {
    const pinned = logs.find((each) => each.generation === generation);
    const [refused] = findings.filter((finding) => finding.generation === generation);
    if (!pinned && refused) throw new LogDamaged(refused.says); // told of when the verification began
    if (!pinned) return undefined;
    const log = opened.get(generation) ?? openPinned(region, pinned, context);
    opened.set(generation, log);
    return log;
  };
}
