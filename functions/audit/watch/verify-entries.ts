import { inParallel } from '../../common/in-parallel.ts';
import { LogDamaged } from '../errors.ts';
import { TILE_WIDTH } from '../log/models.ts';
import type { AuthenticLog } from './authentic-log.ts';
import { LogRewritten } from './errors.ts';
import { type Finding, findingKey, type LogRef } from './finding.ts';
import { judgeEntries } from './judge-entries.ts';
import { type Entry, eventOfEntry } from './judge-event.ts';
import { openPinned, type Verification } from './verification.ts';
import type { VerifyContext } from './verify-audit-log.ts';

/** Bundles of a piece (65 536 entries), and of those at a time. */
const pieceBundles = 256;
const bundlesAtATime = 16;

export interface Piece {
  readonly state: Verification;
  readonly findings: readonly Finding[];
}

/** The next entries of a log against its tiles, its events and their bodies. What is damaged is told of, and the rest is read all the same. */
export async function verifyEntries(state: Verification, context: VerifyContext): Promise<Piece> {
  const { region } = context;
  const pinned = state.logs[state.log];
  if (!pinned) return { state: { ...state, phase: 'events' }, findings: [] };
  const ref = { region, generation: pinned.generation };
  const findings = new Map<string, Finding>();
  const add = (finding: Finding) => findings.set(findingKey(finding), finding);
  const next = { ...state, log: state.log + 1, bundle: 0 };
  let log: AuthenticLog;
  try {
    log = await openPinned(region, pinned, context);
  } catch (error) {
    return { state: next, findings: [damage(error, ref)] };
  }
  const until = Math.min(log.bundles, state.bundle + pieceBundles);
  const bundles = Array.from({ length: until - state.bundle }, (_, index) => state.bundle + index);
  let [entries, erased] = [0, 0];
  await inParallel(bundlesAtATime, bundles, async (bundle) => {
    try {
      const read = (await log.entries(bundle)).map((bytes, at) => ({ ...ref, index: bundle * TILE_WIDTH + at, bytes }));
      const judged = await judgeEntries(read, context);
      for (const finding of [...judged.findings, ...(await misplaced(read, context))]) add(finding);
      entries += read.length;
      erased += judged.erased;
    } catch (error) {
      add(damage(error, ref));
    }
  });
  const counted = { entries: state.entries + entries, erased: state.erased + erased };
  return { state: { ...(until < log.bundles ? { ...state, bundle: until } : next), ...counted }, findings: [...findings.values()] };
}

/** Entries that are not where their events are said to stand: of two entries of one event, one is. What is not settled yet is not said to stand anywhere. */
async function misplaced(entries: readonly Entry[], { auditQueue }: VerifyContext): Promise<readonly Finding[]> {
  const events = entries.map((entry) => ({ entry, eventId: eventOfEntry(entry)?.eventId }));
  const places = await auditQueue.places(events.flatMap(({ eventId }) => eventId ?? []));
  return events.flatMap(({ entry: { region, generation, index }, eventId }) => {
    const place = eventId && places.get(eventId);
    if (!eventId || !place || (place.generation === generation && place.index === index)) return [];
    const says = `entry ${index} is of event ${eventId}, whose place is entry ${place.index} of generation ${place.generation}`;
    return [{ code: 'AuditLogGap', region, generation, subject: eventId, says }];
  });
}

/** @throws what is no damage of the log */
export function damage(error: unknown, { region, generation }: LogRef): Finding {
  if (!(error instanceof LogRewritten || error instanceof LogDamaged)) throw error;
  return {
    code: 'AuditLogRewritten',
    region,
    generation,
    subject: error instanceof LogRewritten ? error.path : error.message,
    says: error.message,
  };
}
