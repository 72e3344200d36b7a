import { functionName } from '../../common/names.ts';
import type { AnyTask } from '../../common/task.ts';
import { absenceWindow } from '../../maintenance/absence-window.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { runsHere } from '../../maintenance/runs-here.ts';
import { type AlarmRow, type AlarmScope, alarmRow, ownSeries } from './alarm-row.ts';

/** Of each task that runs here: it did not succeed for too long, it fails again and again, something lies in its dead letters. */
export const taskRows = (scope: AlarmScope): readonly AlarmRow[] => [
  ...scope.tasks.filter((task) => runsHere(task, scope.operations, scope.region)).flatMap((task) => rowsOf(scope, task)),
  overdueRow(scope),
];

function rowsOf(scope: AlarmScope, task: AnyTask): readonly AlarmRow[] {
  const { name } = task;
  const own = functionName(scope.operations, name);
  const absence = absenceWindow(task, scope.operations);
  return [
    alarmRow(scope, {
      ...{ alarm: 'DeadLetters', subject: name, severity: 2, says: `A run of ${name} was given up after all its attempts.` },
      metric: {
        namespace: 'AWS/SQS',
        name: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: `${own}-dead-letters` },
        statistic: 'Maximum',
      },
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300 },
      missingData: 'notBreaching', // an idle queue reports nothing
      dashboards: ['system'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'TaskFailing', subject: name, severity: 3, says: `${name} failed three times within an hour.` },
      metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: own }, statistic: 'Sum' },
      ...{ fires: 'at-or-above', threshold: 3, periodSeconds: 3600 },
      missingData: 'notBreaching', // absence has an alarm of its own
      dashboards: ['system'],
    }),
    ...(absence ? [absenceRow(scope, name, absence)] : []),
  ];
}

/** Where another Region leads, a run that has nothing to do reports all the same. */
const absenceRow = (scope: AlarmScope, name: string, absence: { readonly periodSeconds: number; readonly periods: number }): AlarmRow =>
  alarmRow(scope, {
    ...{ alarm: 'TaskOverdue', subject: name, severity: 2 },
    says: `${name} has not succeeded for ${Math.round((absence.periodSeconds * absence.periods) / 60)} min.`,
    metric: ownSeries('maintenance', metricNames.maintenance.taskSucceeded, { Task: name }, 'Sum'),
    ...{ fires: 'below', threshold: 1, ...absence },
    missingData: 'breaching',
    dashboards: ['system'],
  });

/**
 * One alarm over every schedule of every task, those of a week or a month included: `run-missed-tasks` counts what is overdue, in each Region of what that Region runs by itself,
 * and in the one that leads of the rest too. Whether the counting itself runs is watched by its own `TaskOverdue`.
 */
const overdueRow = (scope: AlarmScope): AlarmRow =>
  alarmRow(scope, {
    ...{ alarm: 'TaskOverdue', subject: 'schedules', severity: 2 },
    says: 'A schedule is hours past its time without a run that succeeded.',
    metric: ownSeries('maintenance', metricNames.maintenance.runsOverdue, { Region: scope.region }, 'Maximum'),
    ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 900, periods: 2 },
    missingData: 'notBreaching',
    dashboards: ['system'],
  });
