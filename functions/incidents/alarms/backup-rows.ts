import { formatSeconds } from '../../common/duration.ts';
import { auditLogTableName, auditTableName, stateTableName } from '../../common/names.ts';
import type { Database } from '../../common/operations.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, alarmRow, canLead, moves, ownSeries } from './alarm-row.ts';

const names = metricNames.backup;
const backupSeries = (name: string, dimensions: Readonly<Record<string, string>>) => ownSeries('backup', name, dimensions, 'Maximum');

/**
 * On what backups are: fresh, copied, owned. Those on tasks of the active Region stand in every Region that can lead, and hear nothing where
 * another one does: that the task runs at all is watched by its own `TaskOverdue`.
 */
export function backupRows(scope: AlarmScope): readonly AlarmRow[] {
  const { operations, region } = scope;
  return [
    alarmRow(scope, {
      ...{ alarm: 'OrphanFound', subject: region, severity: 3 },
      says: `Snapshots, restored databases or tables were found in ${region} that nothing owns.`,
      metric: backupSeries(names.orphansFound, { Region: region }),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 3600 },
      missingData: 'notBreaching', // a sweeper that does not run has an alarm of its own
      dashboards: ['system'],
    }),
    ...operations.databases.flatMap((database) => [
      ...replicaRows(scope, database),
      ...(canLead(scope) ? [...logRows(scope, database), copyRow(scope, database)] : []),
    ]),
    // The log's table is each Region's own; the others are replicated, and the Region that leads backs them up.
    ...[...(canLead(scope) ? [stateTableName(operations), auditTableName(operations)] : []), auditLogTableName(operations)].map((table) =>
      stateBackupRow(scope, table),
    ),
  ];
}

const stateBackupRow = (scope: AlarmScope, table: string): AlarmRow =>
  alarmRow(scope, {
    ...{ alarm: 'StateBackupRefused', subject: table, severity: 2 },
    says: `A restored backup of the table ${table} lacks items or holds different ones.`,
    metric: backupSeries(names.stateItemsLost, { Table: table }),
    ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 3600 },
    missingData: 'notBreaching', // the machine that measures it has alarms of its own
    dashboards: ['system'],
  });

const logRows = (scope: AlarmScope, { id, objectives, pointInTime }: Database): readonly AlarmRow[] =>
  pointInTime.enabled
    ? [
        alarmRow(scope, {
          ...{ alarm: 'LogNotFresh', subject: id, severity: 1 },
          says: `The newest restorable second of ${id} is older than its objective of ${formatSeconds(objectives.rpo)}.`,
          metric: backupSeries(names.logAge, { Database: id }),
          ...{ fires: 'above', threshold: objectives.rpo, periodSeconds: 900, periods: 2 },
          missingData: 'notBreaching', // only the leading Region measures; `check-log-freshness` that does not run is overdue
          dashboards: ['database'],
        }),
      ]
    : [];

const copyRow = (scope: AlarmScope, { id }: Database): AlarmRow =>
  alarmRow(scope, {
    ...{ alarm: 'CopyFailed', subject: id, severity: 2, says: `A backup of ${id} could not be copied to another Region.` },
    metric: backupSeries(names.copiesFailed, { Database: id }),
    ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 900 },
    missingData: 'notBreaching', // nothing to copy, nothing to report
    dashboards: ['database'],
  });

/**
 * Lag of the streaming replica, as RDS reports it in the replica's Region. Where the lead moves either Region may have the replica, and the one that
 * leads reports none; whether there is a replica at all is then told by `check-log-freshness`, for Aurora by the configured Region's silence.
 */
function replicaRows(scope: AlarmScope, { id, engine, replica, sites }: Database): readonly AlarmRow[] {
  const { region } = scope;
  const site = sites[region];
  const changes = moves(scope) && canLead(scope);
  if (!replica || !site || (replica.region !== region && !changes)) return [];
  const aurora = engine === 'aurora-postgres';
  const silenceIsGood = changes && !(aurora && replica.region === region);
  const missing = alarmRow(scope, {
    ...{ alarm: 'ReplicaMissing', subject: id, severity: 2, says: `Nothing replicates ${id}: there is nothing to fail over to.` },
    metric: backupSeries(names.replicaMissing, { Database: id }),
    ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 900, periods: 2 },
    missingData: 'notBreaching', // only the leading Region measures; `check-log-freshness` that does not run is overdue
    dashboards: ['database'],
  });
  const lagging = alarmRow(scope, {
    ...{ alarm: 'ReplicaLagging', subject: id, severity: 2 },
    says: `The replica of ${id} in ${region} is more than ${formatSeconds(replica.lagAlarm)} behind.`,
    metric: {
      namespace: 'AWS/RDS',
      name: aurora ? 'AuroraGlobalDBReplicationLag' : 'ReplicaLag',
      dimensions: aurora ? { DBClusterIdentifier: site.identifier } : { DBInstanceIdentifier: site.identifier },
      statistic: 'Maximum',
    },
    ...{ fires: 'above', threshold: aurora ? replica.lagAlarm * 1000 : replica.lagAlarm, periodSeconds: 60, periods: 5 }, // Aurora reports milliseconds
    missingData: silenceIsGood ? 'notBreaching' : 'breaching',
    dashboards: ['database'],
  });
  return [...(changes && !aurora ? [missing] : []), lagging];
}
