import { backupSchedules } from '../backup/recovery-objective.ts';
import { formatSeconds, minutes } from '../common/duration.ts';
import type { Operations } from '../common/operations.ts';
import { describeSchedule, occurrencesAfter, type Schedule } from '../common/schedule.ts';
import { type Finding, ok, warning } from './finding.ts';

/** A year and the weeks by which the dates of daylight-saving changes move. */
const lookedAhead = 400;

/** Two backups of one database closer than this get into each other's way: RDS refuses a snapshot while one is taken. */
const tooClose = minutes(30);

function runsAhead(schedule: Schedule, timeZone: string, now: Date): Date[] {
  const end = now.getTime() + lookedAhead * 86_400_000;
  const perDay = schedule.kind === 'every' ? 86_400 / schedule.interval : schedule.kind === 'daily' ? schedule.at.length : 1;
  return occurrencesAfter(schedule, timeZone, now, Math.ceil(lookedAhead * perDay)).filter((run) => run.getTime() <= end);
}

/**
 * Runs ahead of each schedule, counted once: walking a year of local times costs a tenth of a second, the clashes want the same runs as the skipped times, and
 * most databases keep the schedule of the profile.
 */
function calendarOf(timeZone: string, now: Date): (schedule: Schedule) => readonly Date[] {
  const known = new Map<string, readonly Date[]>();
  return (schedule) => {
    const key = JSON.stringify(schedule);
    const runs = known.get(key) ?? runsAhead(schedule, timeZone, now);
    known.set(key, runs);
    return runs;
  };
}

/** Local times of a schedule that a daylight-saving change skips: the local clock shows another time when it runs. */
export function skippedTimes(
  schedule: Schedule,
  timeZone: string,
  now: Date,
  runsOf: (schedule: Schedule) => readonly Date[] = calendarOf(timeZone, now),
): readonly Date[] {
  if (schedule.kind === 'every') return [];
  const times = schedule.kind === 'daily' ? schedule.at : [schedule.at];
  const local = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return runsOf(schedule).filter((run) => !times.includes(local.format(run)));
}

/** Schedules that behave otherwise than they read. */
export function scheduleFindings(operations: Operations, now: Date): readonly Finding[] {
  const { timeZone, databases, verification, vaultLock } = operations;
  const runsOf = calendarOf(timeZone, now);
  const all: (readonly [path: string, schedule: Schedule])[] = [
    ...databases.flatMap(({ backups }, index) =>
      Object.entries(backups).flatMap(([kind, schedule]) => (schedule ? [[`databases[${index}].backups.${kind}`, schedule] as const] : [])),
    ),
    ['verification.pointInTime', verification.pointInTime],
    ['verification.secondRegion', verification.secondRegion],
    ['vaultLock.schedule', vaultLock.schedule],
  ];
  const skipped = all.flatMap(([path, schedule]) => {
    const [first] = skippedTimes(schedule, timeZone, now, runsOf);
    if (!first) return [];
    const day = first.toLocaleDateString('en-CA', { timeZone });
    return [
      warning(
        path,
        `${describeSchedule(schedule)} names a local time that does not exist on ${day} in ${timeZone}: EventBridge skips that run`,
        'Nothing must be done: run-missed-tasks makes the run up within half an hour. A time outside the hour that the clocks skip avoids it.',
      ),
    ];
  });
  const clashing = databases.flatMap((database, index) => {
    const runs = backupSchedules(database)
      .flatMap((schedule, which) => runsOf(schedule).map((run) => ({ which, at: run.getTime() })))
      .sort((a, b) => a.at - b.at);
    const clash = runs.find(({ which, at }, position) => {
      const previous = runs[position - 1];
      return previous !== undefined && previous.which !== which && (at - previous.at) / 1000 < tooClose;
    });
    if (!clash) return [];
    return [
      warning(
        `databases[${index}].backups`,
        `daily and six-hourly backups come within ${formatSeconds(tooClose)} of each other, first at ${new Date(clash.at).toISOString()}`,
        'Choose times apart, such as daily 02:00 and 08:00, 14:00, 20:00: one of the two waits or fails otherwise.',
      ),
    ];
  });
  return [
    ...skipped,
    ...clashing,
    ...(skipped.length + clashing.length === 0 ? [ok('schedules', `no local time is skipped in ${timeZone}`)] : []),
  ];
}
