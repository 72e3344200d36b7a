import { after, type Duration } from '../../common/duration.ts';
import type { Timestamp } from '../../common/ids.ts';
import type { IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import type { Incident, KnownAlarm, Signal } from '../models.ts';

type Heard = KnownAlarm['heard'][number];

/** As many as a `Trouble` and a `KnownAlarm` can hold. */
const kept = 50;

/**
 * What is known once this signal has been heard as well. The order in which signals are heard does not matter, nor how often: they are kept by the source's own time. At one
 * moment that says both, it rings: better a page too many.
 */
export function hear(known: KnownAlarm | undefined, signal: Signal): KnownAlarm {
  const { dedupKey, region, alarm, subject, at, severity } = signal;
  const before = known ?? { dedupKey, region, alarm, subject, heard: [], version: 0 };
  // PagerDuty's `resolve` does not say what it is about; one that overtook its trigger must not have the last word on it.
  const first = signal.action === 'trigger' && !before.heard.some(({ rings }) => rings);
  return {
    ...before,
    ...(first ? { alarm, subject } : {}),
    heard: withHeard(before.heard, { at, rings: signal.action === 'trigger', severity }),
  };
}

/**
 * What is known together with what an incident shows of the alarm, where that is newer: whoever put it there was cut off before they could write down what they had heard.
 */
export function recall(
  known: KnownAlarm | undefined,
  { id, troubles }: Pick<Incident, 'id' | 'troubles'>,
  dedupKey: string,
): KnownAlarm | undefined {
  const trouble = troubles.find((each) => each.dedupKey === dedupKey);
  if (!trouble) return known;
  const { alarm, subject, region, severity, changes, status, lastAt } = trouble;
  const rings = status === 'firing';
  // The newest change made it what it is, the one before that the opposite, and so on.
  const shown = changes.map((at, index) => ({ at, rings: rings === ((changes.length - 1 - index) % 2 === 0), severity }));
  const newest = known?.heard.at(-1)?.at ?? '';
  const missed = [...shown, { at: lastAt, rings, severity }].filter(
    (each) => each.at >= newest && !known?.heard.some((heard) => isSame(heard, each)),
  );
  if (missed.length === 0) return known;
  const before = known ?? { dedupKey, region, alarm, subject, heard: [], version: 0 };
  return { ...before, heard: missed.reduce(withHeard, before.heard), incidentId: id };
}

function withHeard(heard: readonly Heard[], news: Heard): Heard[] {
  const same = heard.find((each) => isSame(each, news));
  const worse = same && same.severity < news.severity ? same : news;
  return [...heard.filter((each) => each !== same), worse].sort(byTime).slice(-kept);
}

/** Whether this very change had been heard before. */
export const hadHeard = (known: KnownAlarm | undefined, { at, action, severity }: Signal): boolean =>
  known?.heard.some((each) => isSame(each, { at, rings: action === 'trigger' }) && each.severity <= severity) ?? false;

const isSame = (a: Pick<Heard, 'at' | 'rings'>, b: Pick<Heard, 'at' | 'rings'>): boolean => a.at === b.at && a.rings === b.rings;
const byTime = (a: Heard, b: Heard): number => (a.at === b.at ? Number(a.rings) - Number(b.rings) : a.at < b.at ? -1 : 1);

/** How an alarm stands, by all that was heard of it. */
export interface Standing {
  readonly rings: boolean;
  /** The worst that it has rung with since it was last well, or before it was well: a milder repetition does not make it milder. */
  readonly severity: Severity;
  /** When it last changed between ringing and well, oldest first; the first that was heard counts as a change. */
  readonly changes: readonly Timestamp[];
  /** Of the newest that was heard. */
  readonly lastAt: Timestamp;
}

export function standingOf({ heard }: Pick<KnownAlarm, 'heard'>): Standing {
  const [first] = heard;
  if (first === undefined) throw new RangeError('an alarm of which nothing was heard');
  let last = first;
  let severity = first.severity;
  const changes = [first.at];
  for (const each of heard.slice(1)) {
    if (each.rings !== last.rings) {
      changes.push(each.at);
      if (each.rings) severity = each.severity;
    } else if (each.rings && each.severity < severity) severity = each.severity;
    last = each;
  }
  return { rings: last.rings, severity, changes, lastAt: last.at };
}

/**
 * Whether it flaps: it changed more than `changes` times within `per`, and has not been quiet for `quietFor` since.
 *
 * @example changes 6 within 30 min, quiet for 15 min: one that changed at 07:00, 07:04, ... 07:24 (seven times) flaps until 07:39
 */
export function flaps({ changes }: Pick<Standing, 'changes'>, policy: IncidentPolicy['flapping'], now: Date): boolean {
  const newest = changes.at(-1);
  if (newest === undefined || isPast(newest, policy.quietFor, now)) return false;
  // Each stretch that was frequent enough keeps it flapping for as long as changes go on to follow each other within `quietFor`.
  return changes.some((change, index) => {
    const earlier = changes[index - policy.changes];
    if (earlier === undefined || isPast(earlier, policy.per, new Date(change))) return false;
    return changes.slice(index).every((later, position, rest) => {
      const next = rest[position + 1];
      return next === undefined || !isPast(later, policy.quietFor, new Date(next));
    });
  });
}

const isPast = (at: Timestamp, duration: Duration, now: Date): boolean => after(new Date(at), duration) <= now;
