import { Temporal } from 'temporal-polyfill';
import type { Rotation } from '../../common/incident-policy.ts';
import { instantAt, localDay } from './local-time.ts';

/** A length of time in milliseconds since 1970: `from` belongs to it, `until` does not. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** Somebody is on duty. */
export interface Duty extends Span {
  readonly person: string;
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** What two lengths of time have in common; nothing may be left of it. */
const common = (a: Span, b: Span): Span => ({ from: Math.max(a.from, b.from), until: Math.min(a.until, b.until) });

/** Who of a rotation is on duty when, ascending and without overlap, within `within`. Nobody is before the rotation's first turn. */
export function dutiesOf(rotation: Rotation, timeZone: string, within: Span): readonly Duty[] {
  const allowed = rotation.only ? windowsOf(rotation.only, timeZone, within) : [within];
  const duties: Duty[] = [];
  let next = 0;
  for (const turn of turnsOf(rotation, timeZone, within)) {
    while ((allowed[next]?.until ?? Number.POSITIVE_INFINITY) <= turn.from) next++;
    for (let index = next; index < allowed.length; index++) {
      const window = allowed[index];
      if (!window || window.from >= turn.until) break;
      duties.push({ person: turn.person, ...common(turn, window) });
    }
  }
  return duties;
}

/**
 * The turns of a rotation that touch `within`, cut to it. Turn `k` begins `k x everyDays` civil days after the first, at the hand-over's local time: counted on
 * the calendar and not in hours, so that Monday 09:00 stays Monday 09:00 whatever the clocks do.
 */
function* turnsOf({ people, from, handOver }: Rotation, timeZone: string, within: Span): Generator<Duty> {
  const first = Temporal.PlainDate.from(from);
  const begins = (turn: number) => instantAt(first.add({ days: turn * handOver.everyDays }), handOver.at, timeZone);
  const daysSince = first.until(localDay(within.from, timeZone), { largestUnit: 'days' }).days;
  // A day too early rather than too late: on the day of a hand-over the turn before it still lasts until its time.
  let turn = Math.max(0, Math.floor((daysSince - 1) / handOver.everyDays));
  for (let start = begins(turn); start < within.until; turn++) {
    const until = begins(turn + 1);
    const person = people[turn % people.length];
    const span = common({ from: start, until }, within);
    if (person !== undefined && span.from < span.until) yield { person, ...span };
    start = until;
  }
}

/** When a restricted rotation counts, cut to `within`, ascending; ranges that overlap are one. */
function windowsOf(only: NonNullable<Rotation['only']>, timeZone: string, within: Span): readonly Span[] {
  const spans: Span[] = [];
  const last = localDay(within.until, timeZone);
  // From two days before: a range over midnight began the day before, and a zone that moves across the date line has skipped one.
  for (
    let day = localDay(within.from, timeZone).subtract({ days: 2 });
    Temporal.PlainDate.compare(day, last) <= 0;
    day = day.add({ days: 1 })
  ) {
    const weekday = weekdays[day.dayOfWeek - 1];
    for (const { days, from, to } of only) {
      if (!days.some((each) => each === weekday)) continue;
      const ends = to <= from ? day.add({ days: 1 }) : day;
      const span = common({ from: instantAt(day, from, timeZone), until: instantAt(ends, to, timeZone) }, within);
      if (span.from < span.until) spans.push(span);
    }
  }
  return united(spans);
}

/** The same time as spans that neither overlap nor touch, ascending. */
export function united(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && span.from <= last.until) result[result.length - 1] = { from: last.from, until: Math.max(last.until, span.until) };
    else result.push(span);
  }
  return result;
}
