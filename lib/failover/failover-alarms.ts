import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { minutes } from '../../functions/common/duration.ts';
import { metricNames } from '../../functions/maintenance/metric-names.ts';
import { type ActionableAlarmProps, actionableAlarm } from '../shared/actionable-alarm.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import type { RegionScope } from '../shared/region-scope.ts';

/** A change of leadership is over in a quarter of an hour at most, questions to people apart. */
const unfinishedTooLong = minutes(10);

type Watched = Omit<ActionableAlarmProps, 'topic' | 'subject' | 'metric'> & { readonly metric: string; readonly statistic: string };

/**
 * Alarms on who leads. Each Region has its own over what it sees itself, and every Region has an observer: the alarms of a Region that is lost
 * page nobody, and those of the two others do.
 */
export function addFailoverAlarms(scope: Construct, topic: AlarmTopic, { operations, region, role }: RegionScope): void {
  if (operations.failover.mode === 'off') return;
  for (const { metric, statistic, ...alarm } of [...seenByObservers(region), ...(role === 'tertiary' ? [] : seenByCandidates(region))]) {
    actionableAlarm(scope, {
      ...alarm,
      topic,
      subject: region,
      metric: new Metric({
        namespace: 'Codeblue/failover',
        metricName: metric,
        dimensionsMap: { Region: region },
        statistic,
        period: Duration.minutes(1),
      }),
    });
  }
}

const seenByObservers = (region: string): readonly Watched[] => [
  {
    runbook: 'ObserverSilent',
    severity: 2,
    says: `The observer in ${region} has cast no vote for two minutes: a majority needs two of the three.`,
    ...{ metric: metricNames.failover.votes, statistic: Stats.SUM, fires: 'below', threshold: 1, periods: 2 },
    missingData: 'bad',
  },
  {
    runbook: 'ObserverBlind',
    severity: 3,
    says: `The observer in ${region} has never seen some of what it looks at in good health: what it says of that counts for nothing.`,
    ...{ metric: metricNames.failover.blind, statistic: Stats.MINIMUM, fires: 'at-or-above', threshold: 1, periods: 10 },
    missingData: 'good', // its silence has an alarm
  },
  {
    runbook: 'LeaseNotRenewed',
    severity: 1,
    says: `Seen from ${region}, the lease of the leading Region has been over for a minute: its databases refuse writes.`,
    ...{ metric: metricNames.failover.leaseRemaining, statistic: Stats.MAXIMUM, fires: 'below', threshold: 0 },
    missingData: 'good', // an observer that sees nothing has an alarm of its own
  },
  {
    runbook: 'CoordinationUnreachable',
    severity: 1,
    says: `${region} has not been able to read who leads for two minutes.`,
    ...{ metric: metricNames.failover.coordinationUnreadable, statistic: Stats.MINIMUM, fires: 'at-or-above', threshold: 1, periods: 2 },
    missingData: 'good',
  },
  {
    runbook: 'FailoverStuck',
    severity: 1,
    says: `Seen from ${region}, a change of leadership has been unfinished for ten minutes.`,
    ...{ metric: metricNames.failover.unfinishedSeconds, statistic: Stats.MAXIMUM, fires: 'at-or-above', threshold: unfinishedTooLong },
    missingData: 'good',
  },
];

const seenByCandidates = (region: string): readonly Watched[] => [
  {
    runbook: 'FailoverStarted',
    severity: 1,
    says: `${region} has claimed the lead.`,
    ...{ metric: metricNames.failover.started, statistic: Stats.SUM, fires: 'at-or-above', threshold: 1 },
    missingData: 'good', // it is rare
  },
  {
    runbook: 'GuardianLost',
    severity: 2,
    says: `The guardian in ${region} has renewed nothing for two minutes: the lease hangs on the other one.`,
    ...{ metric: metricNames.failover.guarded, statistic: Stats.MAXIMUM, fires: 'below', threshold: 1, periods: 2 },
    missingData: 'bad',
  },
  {
    runbook: 'FenceIncomplete',
    severity: 2,
    says: 'Application tables have been without a fence for five minutes: nothing moves without a human while that is so.',
    ...{ metric: metricNames.failover.unfencedTables, statistic: Stats.MAXIMUM, fires: 'at-or-above', threshold: 1, periods: 5 },
    missingData: 'good', // told by the guardian, whose silence has an alarm
  },
];
