import type { Incident } from '../models.ts';
import { answeredSpans } from './answered.ts';

/**
 * Time in which nobody answers and nobody works on it: the escalation goes through its steps from the beginning of the stretch on. The first one begins with the
 * generation, and another whenever an acknowledgement runs out or a pause ends.
 */
export interface Stretch {
  /** In milliseconds since 1970; whole seconds after `escalatesFrom`. */
  readonly from: number;
  /**
   * Number of its first round: 0 for the first stretch, and the seconds between `escalatesFrom` and its beginning for the others. Rounds last a second at least
   * (a rule of the config), so an earlier stretch cannot have come as far: no page of one has the id of a page of another, whatever is known of earlier pauses.
   */
  readonly firstRound: number;
  readonly reason: 'step' | 'stale-acknowledgement';
}

type Standing =
  | { readonly stage: 'telling'; readonly stretch: Stretch }
  /** `until`: before it nothing becomes due, whatever people do while it is answered, and by time alone while it is paused. */
  | { readonly stage: 'answered' | 'paused'; readonly until: number };

/**
 * Where the escalation of an open incident stands.
 *
 * @param needed people who must have acknowledged
 * @param leavesSeconds time that is left to other Regions before the first stretch begins
 */
export function standing(incident: Incident, needed: number, now: number, leavesSeconds: number): Standing {
  const begins = Date.parse(incident.escalatesFrom);
  const answered = answeredSpans(incident.acknowledgements, needed, begins);
  const pausedUntil = incident.pausedUntil === undefined ? begins : Date.parse(incident.pausedUntil);
  const wholeSecond = (instant: number) => begins + Math.ceil((instant - begins) / 1000) * 1000;

  const isAnswered = answered.some(({ from, until }) => from <= now && now < until);
  if (isAnswered || now < pausedUntil) {
    let until = now;
    // A pause may be cut short, an acknowledgement cannot: while one lasts, a pause that outlasts it says nothing about when to look again.
    for (const span of isAnswered ? answered : [{ from: begins, until: pausedUntil }, ...answered]) {
      if (span.from <= until && until < span.until) until = span.until;
    }
    return { stage: isAnswered ? 'answered' : 'paused', until: wholeSecond(until) };
  }

  const ends = [
    ...answered.map(({ until }) => ({ at: until, reason: 'stale-acknowledgement' as const })),
    ...(pausedUntil > begins ? [{ at: pausedUntil, reason: 'step' as const }] : []),
  ];
  const last = ends
    .filter(({ at }) => at <= now)
    .sort((a, b) => a.at - b.at)
    .at(-1);
  const first = { from: begins + leavesSeconds * 1000, firstRound: 0, reason: 'step' } as const;
  if (!last || last.at <= first.from) return { stage: 'telling', stretch: first };
  const from = wholeSecond(last.at);
  return { stage: 'telling', stretch: { from, firstRound: (from - begins) / 1000, reason: last.reason } };
}
