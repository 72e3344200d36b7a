import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Operations } from '../../functions/common/operations.ts';
import type { Schedule } from '../../functions/common/schedule.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { metricNames } from '../../functions/maintenance/metric-names.ts';
import { actionableAlarm } from '../shared/actionable-alarm.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';

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

/** Alarms of one task: it did not succeed for too long, it fails again and again, something lies in its dead letters. */
export function addTaskAlarms(scope: Construct, topic: AlarmTopic, region: RegionScope, worker: OperationsFunction, task: AnyTask): void {
  const subject = task.name;
  if (worker.deadLetters) {
    actionableAlarm(scope, {
      topic,
      runbook: 'DeadLetters',
      subject,
      severity: 2,
      says: `A run of ${task.name} was given up after all its attempts.`,
      metric: worker.deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: Stats.MAXIMUM }),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // an idle queue reports nothing
    });
  }
  actionableAlarm(scope, {
    topic,
    runbook: 'TaskFailing',
    subject,
    severity: 3,
    says: `${task.name} failed three times within an hour.`,
    metric: worker.function.metricErrors({ period: Duration.hours(1), statistic: Stats.SUM }),
    fires: 'at-or-above',
    threshold: 3,
    missingData: 'good', // absence has an alarm of its own
  });
  const absence = absenceWindow(task, region.operations);
  if (!absence) return; // where another Region leads, a run that has nothing to do reports all the same
  actionableAlarm(scope, {
    topic,
    runbook: 'TaskOverdue',
    subject,
    severity: 2,
    says: `${task.name} has not succeeded for ${Math.round((absence.periodSeconds * absence.periods) / 60)} min.`,
    metric: new Metric({
      namespace: 'Codeblue/maintenance',
      metricName: metricNames.maintenance.taskSucceeded,
      dimensionsMap: { Task: task.name },
      statistic: Stats.SUM,
      period: Duration.seconds(absence.periodSeconds),
    }),
    fires: 'below',
    threshold: 1,
    periods: absence.periods,
    missingData: 'bad',
  });
}

/**
 * One alarm over every schedule of every task, those of a week or a month included: `run-missed-tasks` counts what is overdue, in the Region that
 * leads. Where that is another one, nothing is counted; whether the counting itself runs is watched by its own `TaskOverdue`.
 */
export function addOverdueAlarm(scope: Construct, topic: AlarmTopic, { region, role }: RegionScope): void {
  if (role === 'tertiary') return;
  actionableAlarm(scope, {
    topic,
    runbook: 'TaskOverdue',
    subject: 'schedules',
    severity: 2,
    says: 'A schedule is hours past its time without a run that succeeded.',
    metric: new Metric({
      namespace: 'Codeblue/maintenance',
      metricName: metricNames.maintenance.runsOverdue,
      dimensionsMap: { Region: region },
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(15),
    }),
    fires: 'at-or-above',
    threshold: 1,
    periods: 2,
    missingData: 'good',
  });
}
