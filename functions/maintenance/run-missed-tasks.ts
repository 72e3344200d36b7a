import { z } from 'zod';
import { hours, minutes } from '../common/duration.ts';
import { messageOf, ServiceUnavailable } from '../common/errors.ts';
import { every, latestOccurrence } from '../common/schedule.ts';
import { type AnyTask, defineTask } from '../common/task.ts';
import { isActive } from '../failover/lease/active-region.ts';
import { ledgerKey } from './ledger-key.ts';
import { metricNames } from './metric-names.ts';
import { runsHere } from './runs-here.ts';

/** A run younger than this may still be waiting for its schedule's own retries. */
const graceMilliseconds = minutes(10) * 1000;
/** What is older is left to the next occurrence and to the alarm on absence. */
const catchUpMilliseconds = hours(24) * 1000;

/**
 * Runs what should have run and did not (row O2): a schedule that EventBridge skipped because a daylight-saving change removed
 * its local time, a Region's outage, a run that crashed. The ledger's claim makes a second trigger of one run harmless.
 *
 * Every Region does so for the tasks that it runs by itself; the one that leads does it for those of the active Region too.
 *
 * @param registry the tasks to look after: a function, because the registry contains this task
 */
export const runMissedTasks = (registry: () => readonly AnyTask[]) =>
  defineTask({
    name: 'run-missed-tasks',
    summary: 'Runs scheduled tasks whose last occurrence did not succeed.',
    schedule: every(minutes(15)),
    runsIn: 'every',
    catchUp: false,
    needs: ['task-invoker:invoke', 'coordination:read'],
    input: z.strictObject({}),
    async run(_, context) {
      const { operations, ledger, metrics, taskInvoker, clock, region, log } = context;
      const now = clock.now();
      const caughtUp = [];
      const failed: string[] = [];
      let overdue = 0;
      const here = registry().filter((task) => task.catchUp && runsHere(task, operations, region));
      const leads = here.some(({ runsIn }) => runsIn === 'active') && (await isActive(context).catch(unknownLead(failed)));
      for (const task of here.filter(({ runsIn }) => leads || runsIn !== 'active')) {
        for (const run of task.schedules(operations)) {
          const due = latestOccurrence(run.schedule, operations.timeZone, now);
          const last = await ledger.lastSuccess(task.name, ledgerKey(task, run.key, region));
          if (!due) continue;
          const lastSuccess = last ? new Date(last.scheduledAt) : undefined;
          if (isOverdue(due, lastSuccess, now)) overdue++;
          if (!isMissed(due, lastSuccess, now)) continue;
          const missed = { task: task.name, key: run.key, scheduledAt: due.toISOString() };
          try {
            await taskInvoker.invoke({ task: task.name, key: run.key, input: run.input, scheduledAt: due });
            log.warn('a missed run was started', missed);
            caughtUp.push(missed);
          } catch (error) {
            // One that cannot start must not keep the others: backups of other databases wait behind it.
            log.error('a missed run could not be started', { ...missed, error: messageOf(error) });
            failed.push(`${[task.name, run.key].filter(Boolean).join(' ')}: ${messageOf(error)}`);
          }
        }
      }
      const dimensions = { Region: region };
      await metrics.put({
        capability: 'maintenance',
        name: metricNames.maintenance.runsOverdue,
        value: overdue,
        unit: 'Count',
        dimensions,
      });
      if (failed.length > 0) throw new ServiceUnavailable(`missed runs that could not be started: ${failed.join('; ')}`);
      return { caughtUp };
    },
  });

/** Where nobody can tell who leads, what a Region runs by itself is caught up all the same; the failure is told after that. */
const unknownLead =
  (failed: string[]) =>
  (error: unknown): false => {
    failed.push(`tasks of the active Region: ${messageOf(error)}`);
    return false;
  };

/** Whether the occurrence `due` must be run late, given the scheduled time of the last run that succeeded. */
export function isMissed(due: Date, lastSuccess: Date | undefined, now: Date): boolean {
  const age = now.getTime() - due.getTime();
  return age > graceMilliseconds && age <= catchUpMilliseconds && (lastSuccess === undefined || lastSuccess < due);
}

/** By then the schedule's retries and several catch-ups have failed: people must look. */
const overdueMilliseconds = hours(2) * 1000;

/**
 * Whether `due` is hours past without success, however rarely its schedule comes: CloudWatch looks back a week at most, so a monthly
 * task's silence is seen here. A schedule that never succeeded is too new to judge; its failures have an alarm of their own.
 */
export function isOverdue(due: Date, lastSuccess: Date | undefined, now: Date): boolean {
  return lastSuccess !== undefined && lastSuccess < due && now.getTime() - due.getTime() > overdueMilliseconds;
}
