import { days, minutes } from '../../common/duration.ts';
import { deadLetterQueueName, queueName } from '../../common/names.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, alarmRow, ownSeries } from './alarm-row.ts';

const names = metricNames.audit;

/** The watch looks every five minutes. */
const watchPeriodSeconds = minutes(5);

/** A day, CloudWatch's longest for periods of minutes: what only the daily verification sees rings until the next one. */
const periodsOfADay = days(1) / watchPeriodSeconds;

/** An event of the bus is taken within seconds; one that waits so long may be refused for its age some day. */
const longestOnTheBus = minutes(15);

/**
 * On the audit log, in every Region: each looks at the logs of all, so that a log is watched although its own Region's watch is dead or in the wrong hands. The subject is the Region of
 * the log; what several Regions find of it is one incident.
 */
export const auditRows = (scope: AlarmScope): readonly AlarmRow[] => [
  ...regionsOf(scope.operations).flatMap((region) => [...findingRows(scope, region), watchRow(scope, region)]),
  ...ownRows(scope),
];

const logSeries = (name: string, region: string, statistic = 'Maximum') => ownSeries('audit', name, { Region: region }, statistic);

/** What each finding says of a log, and how bad that is: somebody changed it, or it does not get on. */
const findings = {
  AuditLogTruncated: { metric: names.logTruncated, severity: 1, says: 'ends before a place where it was seen to end: entries are gone' },
  AuditLogForked: { metric: names.logForked, severity: 1, says: 'has another history than the one that was seen' },
  AuditLogRewritten: { metric: names.logRewritten, severity: 1, says: 'holds entries or tiles that do not hash to its signed checkpoint' },
  AuditLogGap: {
    metric: names.logGap,
    severity: 1,
    says: 'and the recorded events do not answer to each other: one is missing, or there twice',
  },
  AuditBodyAltered: { metric: names.bodyAltered, severity: 1, says: 'commits to bodies that are not the ones that are kept' },
  AuditRestoreFailed: { metric: names.restoreFailed, severity: 1, says: 'is not what a restored backup of its events gives' },
  AuditLogStale: { metric: names.logStale, severity: 2, says: 'does not move although events wait for it' },
  AuditEventNotIntegrated: { metric: names.eventNotIntegrated, severity: 2, says: 'lacks events that were recorded long enough ago' },
} as const;

const findingRows = (scope: AlarmScope, region: AlarmScope['region']): readonly AlarmRow[] =>
  Object.entries(findings).map(([alarm, { metric, severity, says }]) =>
    alarmRow(scope, {
      ...{ alarm, subject: region, region, severity, says: `The audit log of ${region} ${says}.` },
      ...(severity === 1 ? { owner: scope.operations.contacts.compliance.name } : {}),
      metric: logSeries(metric, region),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: watchPeriodSeconds },
      // Whoever changed a log may put it back: that it was otherwise for five minutes is not over in five minutes.
      ...(severity === 1 ? { periods: periodsOfADay, datapointsToAlarm: 1 } : {}),
      missingData: 'notBreaching', // that nobody looks has an alarm of its own
      dashboards: ['security'],
    }),
  );

/** Three looks in a row. */
const watchRow = (scope: AlarmScope, region: AlarmScope['region']): AlarmRow =>
  alarmRow(scope, {
    ...{ alarm: 'AuditWatchSilent', subject: region, region, severity: 2 },
    says: `${scope.region} has not looked at the audit log of ${region} for a quarter of an hour: nobody there would see it change.`,
    metric: logSeries(names.logWatched, region, 'Sum'),
    ...{ fires: 'below', threshold: 1, periodSeconds: watchPeriodSeconds, periods: 3, missingData: 'breaching', dashboards: ['security'] },
  });

/** Of this Region's own log and doors. */
const ownRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { operations, region } = scope;
  const queue = (name: string, QueueName: string) =>
    ({ namespace: 'AWS/SQS', name, dimensions: { QueueName }, statistic: 'Maximum' }) as const;
  const witnesses = operations.audit.witnesses.use.length;
  return [
    alarmRow(scope, {
      ...{ alarm: 'AuditEventsRejected', subject: region, severity: 3 },
      says: 'An application put events on the audit bus that were refused: nobody else tells it.',
      metric: logSeries(names.eventsRejected, region, 'Sum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300 },
      missingData: 'notBreaching', // written only when it happens
      dashboards: ['security', 'application'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'SequencingFailing', subject: region, severity: 2 },
      says: `The sequencer of ${region} has failed in each of five minutes: what is recorded waits for its place in the log.`,
      metric: logSeries(names.sequencingFailed, region, 'Minimum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60, periods: 5 },
      missingData: 'notBreaching', // one that does not run is overdue
      dashboards: ['security'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'AuditVerificationUnfinished', subject: region, severity: 3 },
      says: `No full verification of the audit log of ${region} has come to its end for two days.`,
      metric: logSeries(names.verificationSeconds, region, 'SampleCount'),
      ...{ fires: 'below', threshold: 1, periodSeconds: days(1), periods: 2, missingData: 'breaching', dashboards: ['security'] },
    }),
    alarmRow(scope, {
      ...{ alarm: 'AuditEventsDelayed', subject: region, severity: 2 },
      says: 'An event has waited for a quarter of an hour between the audit bus and the log.',
      metric: queue('ApproximateAgeOfOldestMessage', queueName(operations, 'audit-events')),
      ...{ fires: 'above', threshold: longestOnTheBus, periodSeconds: 60 },
      missingData: 'notBreaching', // an idle queue reports nothing
      dashboards: ['security'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'DeadLetters', subject: 'audit-events', severity: 1, owner: operations.contacts.compliance.name },
      says: 'Events of the audit bus were given up after all their attempts: they are in no log yet.',
      metric: queue('ApproximateNumberOfMessagesVisible', deadLetterQueueName(operations, 'audit-events')),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300 },
      missingData: 'notBreaching',
      dashboards: ['security'],
    }),
    ...(witnesses === 0
      ? []
      : [
          alarmRow(scope, {
            ...{ alarm: 'WitnessLate', subject: region, severity: 3 },
            says: 'A witness has not cosigned checkpoints for half an hour.',
            metric: logSeries(names.cosignaturesLate, region),
            ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300, periods: 6 },
            missingData: 'notBreaching', // written only when it happens
            dashboards: ['security'],
          }),
        ]),
  ];
};
