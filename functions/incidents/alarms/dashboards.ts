import type { Region } from '../../common/ids.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, canLead, type DashboardName, dashboardNames, moves, ownSeries, type Series } from './alarm-row.ts';

/** One graph: every subject of one kind of alarm, a line each, with the thresholds. */
interface AlarmGraph {
  readonly alarm: string;
  readonly rows: readonly AlarmRow[];
}

/** A figure over the time that is looked at. */
interface Figure {
  readonly title: string;
  readonly label: string;
  /** `share-of-zeros`: of the time in per cent in which a series of 0 and 1 was 0. */
  readonly shows: 'share-of-zeros' | 'value';
  readonly series: Series;
  readonly periodSeconds: number;
}

/** One dashboard of a Region (row M1), in the order in which it is read. */
export interface DashboardPlan {
  readonly name: DashboardName;
  /** For people; CloudWatch's own name of it is `dashboardName`. */
  readonly title: string;
  readonly figures: readonly Figure[];
  /** State by state, worst first. */
  readonly alarms: readonly AlarmRow[];
  readonly graphs: readonly AlarmGraph[];
}

/** CloudWatch keeps dashboards by name for all Regions of an account together, so the name says which one it is of. */
export const dashboardName = (deployment: string, region: Region, name: DashboardName): string =>
  `${deployment}-codeblue-${region}-${name}`;

const titles: Readonly<Record<DashboardName, string>> = {
  system: 'System: processors, memory, disks, tasks, machines, who leads',
  application: 'Application: services, errors, response times',
  database: 'Databases: load, replication, backups and their proofs',
  security: 'Security: failed logins, breaches, the audit log',
  executive: 'At a glance: uptime, response, critical alarms, verified backups',
};

/** The five dashboards of a Region, from the same table as its alarms. */
export function dashboards(scope: AlarmScope, table: readonly AlarmRow[]): readonly DashboardPlan[] {
  return dashboardNames.map((name) => {
    const rows = table.filter((row) => row.dashboards.includes(name));
    const shown = name === 'executive' ? table.filter(({ severity }) => severity === 1) : rows;
    const graphed = name === 'executive' ? rows.filter(({ alarm }) => executiveGraphs.includes(alarm)) : rows.filter(isGraphed);
    return {
      name,
      title: titles[name],
      figures: name === 'executive' ? executiveFigures(scope) : [],
      alarms: [...shown].sort((a, b) => a.severity - b.severity),
      graphs: byAlarm(graphed),
    };
  });
}

/** The table of alarms is what management reads; these are the lines that go with it. */
const executiveGraphs: readonly string[] = ['ResponseSlow', 'LatencyHigh', 'VerifiedRestoreTooOld'];

/** Alarms of every task and machine are in the list of states; as graphs they would be three screens of flat lines. */
const isGraphed = ({ alarm }: AlarmRow): boolean =>
  !['DeadLetters', 'TaskFailing', 'TaskOverdue', 'MachineFailed', 'MachineTimedOut'].includes(alarm);

function byAlarm(rows: readonly AlarmRow[]): readonly AlarmGraph[] {
  const names = [...new Set(rows.map(({ alarm }) => alarm))];
  return names.map((alarm) => ({ alarm, rows: rows.filter((row) => row.alarm === alarm) }));
}

/** Uptime of services and databases by what the observer saw of them, and the age of the newest proven backup. */
function executiveFigures(scope: AlarmScope): readonly Figure[] {
  const { operations, region } = scope;
  if (!canLead(scope)) return [];
  const { failover, databases } = operations;
  const up = (label: string, name: string, dimensions: Readonly<Record<string, string>>): Figure => ({
    ...{ title: 'Uptime, per cent of the time looked at', label, shows: 'share-of-zeros', periodSeconds: 300 },
    series: ownSeries('failover', name, { Region: region, ...dimensions }, 'Average'),
  });
  const services = failover.services.filter(({ health }) => health[region] !== undefined);
  const here = databases.filter(({ sites }) => sites[region] !== undefined);
  const uptime = moves(scope)
    ? [
        ...services.map(({ name }) => up(name, metricNames.failover.serviceDown, { Service: name })),
        ...here.map(({ id }) => up(id, metricNames.failover.databaseDown, { Database: id })),
      ]
    : [];
  const proven = databases.map(
    ({ id }): Figure => ({
      ...{ title: 'Age of the newest verified backup, seconds', label: id, shows: 'value', periodSeconds: 900 },
      series: ownSeries('verify', metricNames.verify.newestVerifiedAge, { Database: id }, 'Maximum'),
    }),
  );
  return [...uptime, ...proven];
}
