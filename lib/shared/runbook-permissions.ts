import type { AutomatedRunbook } from '../../functions/common/incident-policy.ts';
import { databaseArn, partitionOf } from '../../functions/common/names.ts';
import type { Need } from '../../functions/common/ports.ts';
import { describe, siteIn } from './database-permissions.ts';
import { capacityArns, scale } from './failover-permissions.ts';
import { type Grant, grant } from './grant.ts';
import type { RegionScope } from './region-scope.ts';

type RunbookNeed = Extract<Need, `runbooks:${string}` | `alarm-states:${string}`>;
export const isRunbookNeed = (need: Need): need is RunbookNeed => /^(runbooks|alarm-states):/.test(need);

type Action = AutomatedRunbook['action'];

/** What the runbooks of one kind act on: a deployment without such a runbook grants nothing for it. */
const actedOn = ({ operations: { incidents } }: RegionScope, kinds: readonly Action['kind'][]): ReadonlySet<string> =>
  new Set(
    incidents.mode === 'off'
      ? []
      : incidents.runbooks.flatMap(({ action }) =>
          kinds.includes(action.kind) ? ['capacity' in action ? action.capacity : action.database] : [],
        ),
  );

/** Restarting is an update of the service, and a refresh of the group: what each shows besides is read. */
const restart = (scope: RegionScope): readonly Grant[] => {
  const restarted = actedOn(scope, ['restart-service']);
  const looked = actedOn(scope, ['restart-service', 'scale-out']);
  const { services, groups } = capacityArns(scope, (name) => restarted.has(name));
  const seen = capacityArns(scope, (name) => looked.has(name));
  return [
    ...(seen.services.length > 0 ? [grant({ actions: ['ecs:DescribeServices'], resources: seen.services })] : []),
    ...(services.length > 0 ? [grant({ actions: ['ecs:UpdateService'], resources: services })] : []),
    ...(seen.groups.length > 0
      ? [
          grant({
            actions: ['autoscaling:DescribeAutoScalingGroups', 'autoscaling:DescribeInstanceRefreshes'],
            resources: ['*'],
            because: 'describing groups knows no resource; it reads, never changes',
          }),
        ]
      : []),
    ...(groups.length > 0
      ? [
          grant({
            actions: ['autoscaling:StartInstanceRefresh'],
            resources: groups,
            because: 'the ARN of a group holds an id that AWS chose before its name',
          }),
        ]
      : []),
  ];
};

const enlarge = (scope: RegionScope): readonly Grant[] => {
  const { operations, region } = scope;
  const names = actedOn(scope, ['enlarge-storage']);
  const instances = operations.databases.flatMap(({ id, engine, sites }) => {
    const site = names.has(id) && engine === 'rds-postgres' ? siteIn(sites, region) : undefined;
    return site ? [databaseArn(operations, region, 'db', site.identifier)] : [];
  });
  if (instances.length === 0) return [];
  return [
    ...describe(scope),
    grant({ actions: ['rds:ModifyDBInstance'], resources: instances }),
    grant({ actions: ['rds:DescribeEvents'], resources: ['*'], because: 'DescribeEvents knows no resource; it reads, never changes' }),
  ];
};

const seeAlarms = ({ operations, region }: RegionScope): readonly Grant[] => [
  grant({
    actions: ['cloudwatch:DescribeAlarms'],
    resources: [`arn:${partitionOf(region)}:cloudwatch:${region}:${operations.account}:alarm:*`],
    because: 'a list call is authorized against every alarm; it reads states',
  }),
];

/** The IAM of what automated runbooks need, in one Region; starting them is beside the other machines' (permissions.ts). */
export function runbookPermissions(need: Exclude<RunbookNeed, 'runbooks:start'>, scope: RegionScope): readonly Grant[] {
  switch (need) {
    case 'runbooks:record':
      return []; // a line of the state table, which record keeping opens
    case 'runbooks:restart':
      return restart(scope);
    case 'runbooks:scale-out': {
      const names = actedOn(scope, ['scale-out']);
      return scale(scope, (name) => names.has(name));
    }
    case 'runbooks:enlarge-storage':
      return enlarge(scope);
    case 'alarm-states:read':
      return seeAlarms(scope);
  }
}
