import type { Operations } from '../common/operations.ts';
import type { Schedule } from '../common/schedule.ts';
import type { AnyTask } from '../common/task.ts';

const hour = 3600;
const day = 24 * hour;
/** CloudWatch looks back seven days at most, with periods of an hour or more; one day with shorter ones. */
const longestLookBack = 7 * day;

/** Longest that a schedule leaves between two runs, daylight-saving changes included (an hour more on one day of the year). */
function longestWait(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'every':
      return schedule.interval;
    case 'daily':
      return longestPause(schedule.at) + hour;
    case 'weekly':
      return 7 * day + hour;
    case 'monthly':
      return 35 * day + hour;
    case 'quarterly':
      return 98 * day + hour;
  }
}

/** Longest pause between neighbouring times of day, round the clock. */
function longestPause(times: readonly string[]): number {
  const seconds = times.map((at) => Number(at.slice(0, 2)) * hour + Number(at.slice(3)) * 60).sort((a, b) => a - b);
  return Math.max(
    ...seconds.map((time, index) => (index === 0 ? time + day - (seconds.at(-1) ?? time) : time - (seconds[index - 1] ?? 0))),
  );
}

/**
 * The window after which silence is an alarm: three runs of a task that runs within the hour, otherwise the longest pause
 * of its schedules and an hour for the run. Undefined beyond what CloudWatch can look back on: weekly and monthly tasks
 * are watched by `run-missed-tasks` and by the age of what they produce.
 */
export function absenceWindow(
  task: AnyTask,
  operations: Operations,
): { readonly periodSeconds: number; readonly periods: number } | undefined {
  const waits = task.schedules(operations).map((run) => longestWait(run.schedule));
  if (waits.length === 0) return undefined;
  const shortest = Math.min(...waits); // the task reports under one name: its most frequent schedule sets the rhythm
  if (shortest < hour) return { periodSeconds: Math.max(shortest, 5 * 60), periods: 3 };
  const periods = Math.ceil((shortest + hour) / hour);
  return periods * hour <= longestLookBack ? { periodSeconds: hour, periods } : undefined;
}
