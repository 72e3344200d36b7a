import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { formatSeconds } from '../../functions/common/duration.ts';
import { metricNames } from '../../functions/maintenance/metric-names.ts';
import { actionableAlarm } from '../shared/actionable-alarm.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import type { RegionScope } from '../shared/region-scope.ts';

const verifyMetric = (metricName: string, databaseId: string, minutes: number) =>
  new Metric({
    namespace: 'Codeblue/verify',
    metricName,
    dimensionsMap: { Database: databaseId },
    statistic: Stats.MAXIMUM,
    period: Duration.minutes(minutes),
  });

/** Alarms on what verification found, in every Region that verifies; on its age (row V8) in those that can lead. */
export function addVerificationAlarms(scope: Construct, topic: AlarmTopic, { operations, role }: RegionScope): void {
  const { maxAge } = operations.verification;
  for (const { id } of operations.databases) {
    actionableAlarm(scope, {
      topic,
      runbook: 'BackupRefused',
      subject: id,
      severity: 1,
      says: `A backup of ${id} was restored and did not prove itself.`,
      metric: verifyMetric(metricNames.verify.refused, id, 5),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // one data point per verification
    });
    if (role === 'tertiary') continue;
    actionableAlarm(scope, {
      topic,
      runbook: 'VerifiedRestoreTooOld',
      subject: id,
      severity: 2,
      says: `The newest verified backup of ${id} is older than ${formatSeconds(maxAge)}.`,
      metric: verifyMetric(metricNames.verify.newestVerifiedAge, id, 15),
      fires: 'above',
      threshold: maxAge,
      periods: 2,
      missingData: 'good', // only the leading Region measures; `check-verification-age` that does not run is overdue
    });
  }
}
