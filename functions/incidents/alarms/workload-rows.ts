import type { CapacityItem } from '../../common/failover-policy.ts';
import type { Monitored } from '../../common/incident-policy.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, alarmRow, canLead, moves, ownSeries, type Series, type Share } from './alarm-row.ts';
import { thresholdOf, thresholds, type WorkloadAlarm } from './thresholds.ts';

/**
 * The manuals' thresholds, held against what the config names of the workload in this Region: services by the observer, load balancers, what is scaled, and metrics of its
 * own. Of two ways to the same alarm the later one in this order counts, but for a service that the observer looks at: it sees what users would.
 */
export function workloadRows(scope: AlarmScope): readonly AlarmRow[] {
  const { incidents, failover } = scope.operations;
  const derived = [
    ...incidents.monitored.flatMap((each) => loadBalancerRows(scope, each)),
    ...failover.capacity.flatMap((item) => capacityRows(scope, item)),
    ...serviceRows(scope),
  ];
  const named = incidents.monitored.flatMap((each) => metricRows(scope, each));
  const rows = new Map([...derived, ...named].map((row) => [`${row.alarm}-${row.subject}`, row]));
  return [...rows.values()];
}

const row = (scope: AlarmScope, alarm: WorkloadAlarm, subject: string, metric: Series | Share, differs: Partial<AlarmRow> = {}): AlarmRow =>
  alarmRow(scope, {
    ...thresholdOf(alarm, subject),
    ...{ alarm, metric },
    ...(alarm === 'FailedLogins' ? { owner: scope.operations.contacts.compliance.name } : {}),
    ...differs,
    subject,
  });

/** Services are looked at where the lead is; elsewhere there is no data, which means nothing: an observer that is silent has an alarm. */
const serviceRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { operations, region } = scope;
  if (!moves(scope) || !canLead(scope)) return [];
  return operations.failover.services
    .filter(({ health }) => health[region] !== undefined)
    .map(({ name, critical }) =>
      row(
        scope,
        'ServiceDown',
        name,
        ownSeries('failover', metricNames.failover.serviceDown, { Region: region, Service: name }, 'Minimum'),
        {
          missingData: 'notBreaching',
          severity: critical ? 1 : 2,
        },
      ),
    );
};

function loadBalancerRows(scope: AlarmScope, { id, loadBalancer }: Monitored): readonly AlarmRow[] {
  const here = loadBalancer?.[scope.region];
  if (!here) return [];
  const series = (name: string, statistic: string, target = false): Series => ({
    namespace: 'AWS/ApplicationELB',
    name,
    dimensions: { LoadBalancer: here.name, ...(target ? { TargetGroup: here.targetGroup } : {}) },
    statistic,
  });
  const errors: Share = {
    parts: [series('HTTPCode_Target_5XX_Count', 'Sum'), series('HTTPCode_ELB_5XX_Count', 'Sum')],
    whole: series('RequestCount', 'Sum'),
  };
  return [
    row(scope, 'ServiceDown', id, series('HealthyHostCount', 'Maximum', true), { fires: 'below' }),
    row(scope, 'ErrorRateHigh', id, errors),
    row(scope, 'ResponseSlow', id, series('TargetResponseTime', 'p95')),
  ];
}

/** Strength of what Codeblue scales. Memory of an Auto Scaling group is known to the CloudWatch agent only: name its metrics under `monitored`. */
function capacityRows(scope: AlarmScope, { name, kind, sites }: CapacityItem): readonly AlarmRow[] {
  const site = sites[scope.region];
  if (site === undefined) return [];
  const [ClusterName = '', ServiceName = ''] = site.split('/');
  const [namespace, dimensions]: readonly [string, Record<string, string>] =
    kind === 'ecs-service' ? ['AWS/ECS', { ClusterName, ServiceName }] : ['AWS/EC2', { AutoScalingGroupName: site }];
  const average = (metric: string): Series => ({ namespace, name: metric, dimensions, statistic: 'Average' });
  return [
    row(scope, 'CpuHigh', name, average('CPUUtilization')),
    ...(kind === 'ecs-service' ? [row(scope, 'MemoryHigh', name, average('MemoryUtilization'))] : []),
  ];
}

const metricRows = (scope: AlarmScope, { id, metrics }: Monitored): readonly AlarmRow[] =>
  metrics.flatMap(({ alarm, sites, inMilliseconds }) => {
    const site = sites[scope.region];
    if (!site) return [];
    const { threshold, statistic } = thresholds[alarm];
    const series = (source: typeof site.of & object, how: string): Series => ({
      namespace: source.namespace,
      name: source.metric,
      dimensions: source.dimensions,
      statistic: how,
    });
    // Counts of which one is a share of the other are added up; what is a figure by itself is taken as the threshold says.
    const metric = site.of ? { parts: [series(site, 'Sum')], whole: series(site.of, 'Sum') } : series(site, statistic);
    return [row(scope, alarm, id, metric, inMilliseconds ? { threshold: threshold * 1000 } : {})];
  });
