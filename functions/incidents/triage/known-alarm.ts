import { after, type Duration } from '../../common/duration.ts';
import type { Timestamp } from '../../common/ids.ts';
import type { IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import type { KnownAlarm, Signal } from '../models.ts';

type Heard = KnownAlarm['heard'][number];

/** As many as a `Trouble` and a `KnownAlarm` can hold. */
const kept = 50;

/**
 * What is known once this signal has been heard as well. The order in which signals are heard does not matter, nor how often: they are kept by the source's own time. At one
 * moment that says both, it rings: better a page too many.
 */
export function hear(known: KnownAlarm | undefined, signal: Signal): KnownAlarm {
  const { dedupKey, region, alarm, subject, at, severity } = signal;
  const news: Heard = { at, rings: signal.action === 'trigger', severity };
  const heard = [...(known?.heard ?? []).filter((each) => !sameMoment(each, news)), worseOf(known, news)].sort(byTime).slice(-kept);
  return { ...(known ?? { dedupKey, region, alarm, subject, version: 0 }), heard };
}

/** Whether this very change had been heard before. */
export const hadHeard = (known: KnownAlarm | undefined, { at, action, severity }: Signal): boolean =>
  known?.heard.some((each) => sameMoment(each, { at, rings: action === 'trigger' }) && each.severity <= severity) ?? false;

const sameMoment = (a: Pick<Heard, 'at' | 'rings'>, b: Pick<Heard, 'at' | 'rings'>): boolean => a.at === b.at && a.rings === b.rings;
const byTime = (a: Heard, b: Heard): number => (a.at === b.at ? Number(a.rings) - Number(b.rings) : a.at < b.at ? -1 : 1);

function worseOf(known: KnownAlarm | undefined, news: Heard): Heard {
  const same = known?.heard.find((each) => sameMoment(each, news));
  return same && same.severity < news.severity ? same : news;
}

/** How an alarm stands, by all that was heard of it. */
export interface Standing {
  readonly rings: boolean;
  /** The worst that it has rung with since it was last well: a milder repetition does not make it milder. */
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
      severity = each.severity;
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
