import { minutes } from '../../common/duration.ts';
import { deadLetterQueueName, queueName, type SignalQueueName, signalQueueNames } from '../../common/names.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, alarmRow, ownSeries } from './alarm-row.ts';

const names = metricNames.incidents;

/** A signal of severity 1 waits a minute at most, any other five. */
const longestWait: Readonly<Record<SignalQueueName, number>> = { 'urgent-signals': minutes(1), signals: minutes(5) };

/**
 * On the pager itself, in every Region, where it works: none of them is told of by an incident, because that is what may be broken. They go to the alarm topic, which is no
 * channel of the outbox.
 */
export const pagerRows = (scope: AlarmScope): readonly AlarmRow[] =>
  scope.operations.incidents.mode === 'off' ? [] : [...pageRows(scope), ...signalQueueNames.flatMap((queue) => queueRows(scope, queue))];

const pageRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { region } = scope;
  const series = (name: string, statistic: string) => ownSeries('incidents', name, { Region: region }, statistic);
  const common = { subject: region, fires: 'at-or-above', threshold: 1, missingData: 'notBreaching', tells: 'topic' } as const;
  return [
    alarmRow(scope, {
      ...{ ...common, alarm: 'IncidentUnanswered', severity: 1, periodSeconds: 300, dashboards: ['system', 'executive'] },
      says: 'Everybody whom the escalation policy names was told, as often as it says, and nobody answered.',
      metric: series(names.unanswered, 'Sum'), // written only while there is such an incident
    }),
    alarmRow(scope, {
      ...{ ...common, alarm: 'NobodyOnDuty', severity: 1, periodSeconds: 300, dashboards: ['system'] },
      says: 'A step of an escalation told nobody, because its schedules have nobody on duty.',
      metric: series(names.nobodyOnDuty, 'Maximum'), // written only when it happens
    }),
    alarmRow(scope, {
      ...{ ...common, alarm: 'PagesMissed', severity: 2, periodSeconds: 60, dashboards: ['system', 'executive'] },
      says: 'Pages that were due a minute ago and longer are not sent.',
      metric: series(names.pagesMissed, 'Sum'), // an auditor that does not run is overdue
    }),
    alarmRow(scope, {
      ...{ ...common, alarm: 'PagingUntested', severity: 3, periodSeconds: 86_400, dashboards: ['system'] },
      says: 'The daily test found a way to reach somebody by which no page would arrive.',
      metric: series(names.pagingUntested, 'Maximum'), // once a day; a test that does not run is overdue
    }),
  ];
};

const queueRows = (scope: AlarmScope, queue: SignalQueueName): readonly AlarmRow[] => {
  const series = (name: string, QueueName: string) => ({ namespace: 'AWS/SQS', name, dimensions: { QueueName }, statistic: 'Maximum' });
  const common = { subject: queue, periodSeconds: 60, missingData: 'notBreaching', dashboards: ['system'], tells: 'topic' } as const;
  return [
    alarmRow(scope, {
      ...{ ...common, alarm: 'SignalsDelayed', severity: queue === 'urgent-signals' ? 1 : 2 },
      says: `A signal has waited in ${queue} for longer than ${longestWait[queue] / 60} min: who should be told is told late.`,
      metric: series('ApproximateAgeOfOldestMessage', queueName(scope.operations, queue)),
      ...{ fires: 'above', threshold: longestWait[queue] },
    }),
    alarmRow(scope, {
      ...{ ...common, alarm: 'TriageFailing', severity: queue === 'urgent-signals' ? 1 : 2 },
      says: `A signal of ${queue} was given up after all its attempts: nobody was told of it.`,
      metric: series('ApproximateNumberOfMessagesVisible', deadLetterQueueName(scope.operations, queue)),
      ...{ fires: 'at-or-above', threshold: 1 },
    }),
  ];
};
