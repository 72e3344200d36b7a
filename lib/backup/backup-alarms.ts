import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { formatSeconds } from '../../functions/common/duration.ts';
import { auditTableName, stateTableName } from '../../functions/common/names.ts';
import type { Database } from '../../functions/common/operations.ts';
import { metricNames } from '../../functions/maintenance/metric-names.ts';
import { actionableAlarm } from '../shared/actionable-alarm.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import { siteIn } from '../shared/database-permissions.ts';
import type { RegionScope } from '../shared/region-scope.ts';

const backupMetric = (metricName: string, dimensionsMap: Record<string, string>, minutes: number) =>
  new Metric({ namespace: 'Codeblue/backup', metricName, dimensionsMap, statistic: Stats.MAXIMUM, period: Duration.minutes(minutes) });

/**
 * Alarms on what backups are: fresh, copied, owned. Those on tasks of the active Region stand in every Region that can lead, and hear nothing where
 * another one does: that the task runs at all is watched by its own `TaskOverdue`.
 */
export function addBackupAlarms(scope: Construct, topic: AlarmTopic, region: RegionScope): void {
  const { operations, role } = region;
  actionableAlarm(scope, {
    topic,
    runbook: 'OrphanFound',
    subject: region.region,
    severity: 3,
    says: `Snapshots, restored databases or tables were found in ${region.region} that nothing owns.`,
    metric: backupMetric(metricNames.backup.orphansFound, { Region: region.region }, 60),
    fires: 'at-or-above',
    threshold: 1,
    missingData: 'good', // a sweeper that does not run has an alarm of its own
  });
  for (const database of operations.databases) {
    addReplicaAlarm(scope, topic, region, database);
    if (role !== 'tertiary') addDatabaseAlarms(scope, topic, database);
  }
  if (role === 'tertiary') return;
  for (const table of [stateTableName(operations), auditTableName(operations)]) {
    actionableAlarm(scope, {
      topic,
      runbook: 'StateBackupRefused',
      subject: table,
      severity: 2,
      says: `A restored backup of the table ${table} lacks items or holds different ones.`,
      metric: backupMetric(metricNames.backup.stateItemsLost, { Table: table }, 60),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // the machine that measures it has alarms of its own
    });
  }
}

function addDatabaseAlarms(scope: Construct, topic: AlarmTopic, { id, objectives, pointInTime }: Database): void {
  if (pointInTime.enabled) {
    actionableAlarm(scope, {
      topic,
      runbook: 'LogNotFresh',
      subject: id,
      severity: 1,
      says: `The newest restorable second of ${id} is older than its objective of ${formatSeconds(objectives.rpo)}.`,
      metric: backupMetric(metricNames.backup.logAge, { Database: id }, 15),
      fires: 'above',
      threshold: objectives.rpo,
      periods: 2,
      missingData: 'good', // only the leading Region measures; `check-log-freshness` that does not run is overdue
    });
  }
  actionableAlarm(scope, {
    topic,
    runbook: 'CopyFailed',
    subject: id,
    severity: 2,
    says: `A backup of ${id} could not be copied to another Region.`,
    metric: backupMetric(metricNames.backup.copiesFailed, { Database: id }, 15),
    fires: 'at-or-above',
    threshold: 1,
    missingData: 'good', // nothing to copy, nothing to report
  });
}

/**
 * Lag of the streaming replica, as RDS reports it in the replica's Region. Where the lead moves either Region may have the replica, and the one that
 * leads reports none; whether there is a replica at all is then told by `check-log-freshness`, for Aurora by the configured Region's silence.
 */
function addReplicaAlarm(
  scope: Construct,
  topic: AlarmTopic,
  { operations, region, role }: RegionScope,
  { id, engine, replica, sites }: Database,
): void {
  const site = siteIn(sites, region);
  const moves = operations.failover.mode !== 'off' && role !== 'tertiary';
  if (!replica || !site || (replica.region !== region && !moves)) return;
  const aurora = engine === 'aurora-postgres';
  const silenceIsGood = moves && !(aurora && replica.region === region);
  if (moves && !aurora) {
    actionableAlarm(scope, {
      topic,
      runbook: 'ReplicaMissing',
      subject: id,
      severity: 2,
      says: `Nothing replicates ${id}: there is nothing to fail over to.`,
      metric: backupMetric(metricNames.backup.replicaMissing, { Database: id }, 15),
      fires: 'at-or-above',
      threshold: 1,
      periods: 2,
      missingData: 'good', // only the leading Region measures; `check-log-freshness` that does not run is overdue
    });
  }
  actionableAlarm(scope, {
    topic,
    runbook: 'ReplicaLagging',
    subject: id,
    severity: 2,
    says: `The replica of ${id} in ${region} is more than ${formatSeconds(replica.lagAlarm)} behind.`,
    metric: new Metric({
      namespace: 'AWS/RDS',
      metricName: aurora ? 'AuroraGlobalDBReplicationLag' : 'ReplicaLag',
      dimensionsMap: aurora ? { DBClusterIdentifier: site.identifier } : { DBInstanceIdentifier: site.identifier },
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(1),
    }),
    fires: 'above',
    threshold: aurora ? replica.lagAlarm * 1000 : replica.lagAlarm, // Aurora reports milliseconds
    periods: 5,
    missingData: silenceIsGood ? 'good' : 'bad',
  });
}
