import type { Database } from '../../common/operations.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, alarmRow, canLead, moves, ownSeries, type Series } from './alarm-row.ts';
import { thresholdOf, type WorkloadAlarm } from './thresholds.ts';

const gibibyte = 2 ** 30;

/**
 * The manuals' thresholds, held against each database with a site in this Region: what RDS measures of the server, and what Codeblue's own canary and observer see of it from
 * the application's network.
 */
export const databaseRows = (scope: AlarmScope): readonly AlarmRow[] =>
  scope.operations.databases.flatMap((database) =>
    database.sites[scope.region] ? [...serverRows(scope, database), ...(canLead(scope) ? seenRows(scope, database) : [])] : [],
  );

function serverRows(scope: AlarmScope, { id, engine, sites }: Database): readonly AlarmRow[] {
  const site = sites[scope.region];
  if (!site) return [];
  const aurora = engine === 'aurora-postgres';
  // A cluster reports over all its instances: the worst of them counts.
  const series = (name: string, statistic: 'Maximum' | 'Minimum'): Series => ({
    namespace: 'AWS/RDS',
    name,
    dimensions: aurora ? { DBClusterIdentifier: site.identifier } : { DBInstanceIdentifier: site.identifier },
    statistic,
  });
  const row = (alarm: WorkloadAlarm, metric: Series, differs: Partial<Pick<AlarmRow, 'fires' | 'threshold'>> = {}) =>
    alarmRow(scope, { ...thresholdOf(alarm, `The database ${id}`), alarm, subject: id, metric, dashboards: ['database'], ...differs });
  const { memoryGigabytes, storageGigabytes, maxConnections } = site.limits ?? {};
  // RDS counts what is left, and connections one by one.
  const leftBelow = (share: number, gigabytes: number) =>
    ({ fires: 'below', threshold: Math.round(share * gigabytes * gibibyte) }) as const;
  return [
    row('CpuHigh', series('CPUUtilization', 'Maximum')),
    ...(memoryGigabytes ? [row('MemoryHigh', series('FreeableMemory', 'Minimum'), leftBelow(0.15, memoryGigabytes))] : []),
    ...(storageGigabytes && !aurora ? [row('DiskFull', series('FreeStorageSpace', 'Minimum'), leftBelow(0.1, storageGigabytes))] : []),
    ...(maxConnections ? [row('ConnectionsHigh', series('DatabaseConnections', 'Maximum'), { threshold: 0.8 * maxConnections })] : []),
  ];
}

/** Where the lead moves, only the Region that leads sees its databases: its silence elsewhere is no trouble, and an observer that is silent has an alarm. */
function seenRows(scope: AlarmScope, { id }: Database): readonly AlarmRow[] {
  const { region, operations } = scope;
  const commits = ownSeries('backup', metricNames.backup.canaryCommitSeconds, { Database: id }, 'Average');
  const latency = alarmRow(scope, {
    ...thresholdOf('LatencyHigh', `A write to ${id}, from the application's network to the database and back,`),
    ...{ alarm: 'LatencyHigh', subject: id, metric: commits, dashboards: ['database', 'executive'] },
  });
  const down = { alarm: 'DatabaseDown', subject: id, severity: 1, dashboards: ['database', 'executive'] } as const;
  if (moves(scope)) {
    return [
      latency,
      alarmRow(scope, {
        ...{ ...down, says: `${id} has not answered the observer of its own Region for two minutes.` },
        metric: ownSeries('failover', metricNames.failover.databaseDown, { Region: region, Database: id }, 'Minimum'),
        ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60, periods: 2, missingData: 'notBreaching' },
      }),
    ];
  }
  if (region !== operations.regions.primary) return [];
  return [
    latency,
    alarmRow(scope, {
      ...{ ...down, says: `No canary was written into ${id} for five minutes.` },
      metric: { ...commits, statistic: 'SampleCount' },
      ...{ fires: 'below', threshold: 1, periodSeconds: 60, periods: 5, missingData: 'breaching' },
    }),
  ];
}
