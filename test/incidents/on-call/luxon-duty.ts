import { DateTime } from 'luxon';
import type { Rotation } from '../../../functions/common/incident-policy.ts';
import type { OnCallSchedule } from '../../../functions/incidents/on-call/on-call.ts';

/**
 * Who is on duty, said once more with another library and in another way: each question counts the hand-overs before it, nothing is cut, sorted or merged.
 */
export function luxonDuty({ layers, timeZone }: OnCallSchedule, instant: Date): string | undefined {
  return layers.map((layer) => dutyOf(layer, timeZone, instant.getTime())).findLast((person) => person !== undefined);
}

function dutyOf({ people, from, handOver, only }: Rotation, zone: string, instant: number): string | undefined {
  const first = DateTime.fromISO(from, { zone: 'utc' });
  const today = DateTime.fromMillis(instant, { zone }).toFormat('yyyy-MM-dd');
  const days = Math.round(DateTime.fromISO(today, { zone: 'utc' }).diff(first, 'days').days);
  let turn = -1;
  for (
    let next = Math.max(0, Math.floor(days / handOver.everyDays) - 2);
    luxonInstant(dayAfter(first, next * handOver.everyDays), handOver.at, zone) <= instant;
    next++
  ) {
    turn = next;
  }
  if (turn < 0) return undefined;
  if (only && !only.some((range) => covers(range, today, zone, instant))) return undefined;
  return people[turn % people.length];
}

const dayAfter = (first: DateTime, days: number): string => first.plus({ days }).toFormat('yyyy-MM-dd');

function covers({ days, from, to }: NonNullable<Rotation['only']>[number], today: string, zone: string, instant: number): boolean {
  return [-2, -1, 0].some((back) => {
    const day = DateTime.fromISO(today, { zone: 'utc' }).plus({ days: back });
    const weekday = (['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const)[day.weekday - 1];
    if (!weekday || !days.includes(weekday)) return false;
    const begins = luxonInstant(day.toFormat('yyyy-MM-dd'), from, zone);
    const ends = luxonInstant(dayAfter(day, to <= from ? 1 : 0), to, zone);
    return begins <= instant && instant < ends;
  });
}

/** When the local clock first shows that time on that day, or has passed it. */
export function luxonInstant(day: string, at: string, zone: string): number {
  const wanted = `${day}T${at}`;
  const found = DateTime.fromISO(wanted, { zone });
  const shows = found.hour === Number(at.slice(0, 2)) && found.minute === Number(at.slice(3)) && found.day === Number(day.slice(8));
  if (shows) return Math.min(...found.getPossibleOffsets().map((each) => each.toMillis()));
  // Skipped: the first minute of the day before and after it at which the local clock shows a later time.
  let [before, after] = [found.minus({ days: 2 }).toMillis(), found.plus({ days: 2 }).toMillis()];
  while (after - before > 60_000) {
    const middle = before + Math.floor((after - before) / 120_000) * 60_000;
    if (DateTime.fromMillis(middle, { zone }).toFormat("yyyy-MM-dd'T'HH:mm") >= wanted) after = middle;
    else before = middle;
  }
  return after;
}
