import { Cron } from 'croner';
import { z } from 'zod';
import { Duration } from './duration.ts';

const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 02:00');
const Weekday = z.enum(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']);

/** Cron can only count inside an hour or inside a day: 45 min or 7 h would drift back at each midnight. */
const dividesClock = (s: number) => (s >= 60 && s % 60 === 0 && 3600 % s === 0) || (s % 3600 === 0 && s > 0 && 86_400 % s === 0);

/**
 * When a task runs. `every` counts from midnight UTC; the others are local times in the
 * deployment's time zone. `monthly` is the n-th given weekday of the month ("first Monday"), `quarterly` that of January, April, July
 * and October.
 */
export const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('every'),
    interval: Duration.refine(dividesClock, 'whole minutes that divide an hour, or whole hours that divide a day'),
  }),
  z.strictObject({ kind: z.literal('daily'), at: z.array(LocalTime).min(1) }),
  z.strictObject({ kind: z.literal('weekly'), on: Weekday, at: LocalTime }),
  z.strictObject({ kind: z.literal('monthly'), nth: z.int().min(1).max(4), on: Weekday, at: LocalTime }),
  z.strictObject({ kind: z.literal('quarterly'), nth: z.int().min(1).max(4), on: Weekday, at: LocalTime }),
]);
export type Schedule = z.output<typeof Schedule>;
type Weekday = z.output<typeof Weekday>;

export const every = (interval: Duration): Schedule => Schedule.parse({ kind: 'every', interval });
export const daily = (...at: string[]): Schedule => Schedule.parse({ kind: 'daily', at });
export const weekly = (on: Weekday, at: string): Schedule => Schedule.parse({ kind: 'weekly', on, at });
export const quarterly = (nth: number, on: Weekday, at: string): Schedule => Schedule.parse({ kind: 'quarterly', nth, on, at });
export const monthly = (nth: number, on: Weekday, at: string): Schedule => Schedule.parse({ kind: 'monthly', nth, on, at });

/**
 * IANA time zone name that this runtime knows. The list of canonical names is looked at first: making a formatter, which
 * also knows the aliases, loads 12 ms of calendar data into every cold start.
 */
export const TimeZone = z.string().refine((zone) => {
  if (Intl.supportedValuesOf('timeZone').includes(zone)) return true;
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}, 'an IANA time zone such as America/New_York');

/** The same rule as five-field cron lines (minute hour day month weekday), one per time of day. */
function cronLines(schedule: Schedule): string[] {
  const clock = (at: string) => `${Number(at.slice(3))} ${Number(at.slice(0, 2))}`;
  switch (schedule.kind) {
    case 'every':
      return schedule.interval >= 3600 ? [`0 */${schedule.interval / 3600} * * *`] : [`*/${schedule.interval / 60} * * * *`];
    case 'daily':
      return schedule.at.map((at) => `${clock(at)} * * *`);
    case 'weekly':
      return [`${clock(schedule.at)} * * ${schedule.on}`];
    case 'monthly':
      return [`${clock(schedule.at)} * * ${schedule.on}#${schedule.nth}`];
    case 'quarterly':
      return [`${clock(schedule.at)} * 1,4,7,10 ${schedule.on}#${schedule.nth}`];
  }
}

/** The zone that a schedule's cron lines are read in: intervals count in UTC, local times in the deployment's zone. */
const zoneOf = (schedule: Schedule, timeZone: string): string => (schedule.kind === 'every' ? 'UTC' : timeZone);

/** `every` counts from midnight UTC, and every interval divides a day: its occurrences are the multiples since 1970. */
function multiplesAfter(interval: number, from: Date, count: number): Date[] {
  const step = interval * 1000;
  const first = Math.floor(from.getTime() / step) + 1;
  return Array.from({ length: count }, (_, index) => new Date((first + index) * step));
}

/**
 * The next `count` occurrences strictly after `from`, ascending. A local time that a daylight-saving change skips
 * happens at the first instant that exists after it (02:00 and 02:30 become 03:00 on the March Sunday of New York); one
 * that a change repeats happens the first time only.
 */
export function occurrencesAfter(schedule: Schedule, timeZone: string, from: Date, count: number): Date[] {
  if (schedule.kind === 'every') return multiplesAfter(schedule.interval, from, count);
  const runs = cronLines(schedule)
    .flatMap((line) => new Cron(line, { timezone: timeZone, paused: true }).nextRuns(count, from))
    .map((run) => run.getTime());
  // Two times of a day that are both skipped fall on one instant: that is one occurrence.
  return [...new Set(runs)]
    .sort((a, b) => a - b)
    .slice(0, count)
    .map((run) => new Date(run));
}

/** The latest occurrence at or before `now`. Every schedule repeats, so there always is one. */
export function latestOccurrence(schedule: Schedule, timeZone: string, now: Date): Date | undefined {
  if (schedule.kind === 'every') {
    const step = schedule.interval * 1000;
    return new Date(Math.floor(now.getTime() / step) * step);
  }
  return cronLines(schedule)
    .flatMap((line) => new Cron(line, { timezone: timeZone, paused: true }).previousRuns(1, new Date(now.getTime() + 1000)))
    .filter((run) => run <= now)
    .sort((a, b) => a.getTime() - b.getTime())
    .at(-1);
}

/**
 * A year and fourteen weeks. Dates of daylight-saving changes move by up to a week from year to year, and the longest schedule
 * waits fourteen weeks: within this time each change falls between two occurrences, whatever day it is counted from.
 */
const countedDays = 366 + 98;

/** Upper bound of occurrences in `countedDays`, over all times of day. */
function occurrencesCounted(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'every':
      return Math.ceil((countedDays * 86_400) / schedule.interval);
    case 'daily':
      return countedDays * schedule.at.length;
    case 'weekly':
      return Math.ceil(countedDays / 7);
    case 'monthly':
      return Math.ceil(countedDays / 28);
    case 'quarterly':
      return Math.ceil(countedDays / 84);
  }
}

/**
 * The longest wait between two neighbouring occurrences of any of the schedules over a year and more from `from`, in
 * seconds; infinite without schedules. A year because daylight-saving changes stretch one day of it.
 */
export function longestGapSeconds(schedules: readonly Schedule[], timeZone: string, from: Date): number {
  const end = from.getTime() + countedDays * 86_400_000;
  const runs = schedules
    .flatMap((schedule) => occurrencesAfter(schedule, timeZone, from, occurrencesCounted(schedule)))
    .map((run) => run.getTime())
    .filter((run) => run <= end)
    .sort((a, b) => a - b);
  if (runs.length < 2) return Number.POSITIVE_INFINITY;
  let longest = 0;
  runs.forEach((run, index) => {
    const previous = runs[index - 1];
    if (previous !== undefined) longest = Math.max(longest, run - previous);
  });
  return longest / 1000;
}

const weekdayNames: Record<Weekday, string> = {
  sun: 'Sunday',
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
};

/** For people: `daily 02:00`, `every 6 h`, `Sunday 04:00`, `first Monday 05:00`. */
export function describeSchedule(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'every':
      return schedule.interval % 3600 === 0 ? `every ${schedule.interval / 3600} h` : `every ${schedule.interval / 60} min`;
    case 'daily':
      return `daily ${schedule.at.join(', ')}`;
    case 'weekly':
      return `${weekdayNames[schedule.on]} ${schedule.at}`;
    case 'monthly':
    case 'quarterly': {
      const day = `${['first', 'second', 'third', 'fourth'][schedule.nth - 1]} ${weekdayNames[schedule.on]} ${schedule.at}`;
      return schedule.kind === 'monthly' ? day : `${day} of January, April, July and October`;
    }
  }
}

/** One EventBridge Scheduler rule: `ScheduleExpression` and the zone to evaluate it in. */
export interface SchedulerExpression {
  readonly expression: string;
  readonly timeZone: string;
}

/**
 * The same rule in EventBridge Scheduler's words (six cron fields with a year, `?` for the unused day field).
 * EventBridge skips local times that do not exist; `run-missed-tasks` catches those up from the ledger.
 */
export function schedulerExpressions(schedule: Schedule, timeZone: string): SchedulerExpression[] {
  return cronLines(schedule).map((line) => {
    const [minute, hour, , month, weekday] = line.split(' ');
    // AWS numbers weekdays by name or 1-7 and writes the n-th as `MON#1`; day-of-month must be `?` when weekday is set.
    const days = weekday === '*' ? '* * ?' : `? ${month} ${weekday?.toUpperCase()}`;
    return { expression: `cron(${minute} ${hour} ${days} *)`, timeZone: zoneOf(schedule, timeZone) };
  });
}
