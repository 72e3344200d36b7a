import type { Region } from '../../functions/common/ids.ts';
import {
  alarmTopicArn,
  backupKeyAlias,
  coordinationKeys,
  coordinationTableName,
  databaseArn,
  isolatedSubnetGroupName,
  ownLogGroupPrefixes,
  partitionOf,
  stateKeyAlias,
  tagKeys,
} from '../../functions/common/names.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import type { Need } from '../../functions/common/ports.ts';
import { describe, liveCredentials, liveDatabases, owned, rdsArn, siteIn } from './database-permissions.ts';
import { type Grant, grant } from './grant.ts';
import { dataKeyActions, keysThroughService } from './key-grants.ts';
import { objects } from './object-grants.ts';
import type { RegionScope } from './region-scope.ts';
import { prepareSwap, swapIn } from './swap-permissions.ts';

type FailoverPort =
  | 'capacity'
  | 'coordination'
  | 'evidence-logs'
  | 'fences'
  | 'network-fence'
  | 'notices'
  | 'probes'
  | 'replicas'
  | 'reports'
  | 'routing-controls';
export type FailoverNeed = Extract<Need, `${FailoverPort}:${string}`>;

const failoverNeed = /^(capacity|coordination|evidence-logs|fences|network-fence|notices|probes|replicas|reports|routing-controls):/;
export const isFailoverNeed = (need: Need): need is FailoverNeed => failoverNeed.test(need);

/** Regions whose replica of the coordination table a function asks: its own where there is one, else both. */
const replicasAsked = ({ operations: { regions }, region, role }: RegionScope): readonly Region[] =>
  role === 'tertiary' ? [regions.standby, regions.primary] : [region];

const coordinationTables = (scope: RegionScope): readonly string[] =>
  replicasAsked(scope).map(
    (region) =>
      `arn:${partitionOf(region)}:dynamodb:${region}:${scope.operations.account}:table/${coordinationTableName(scope.operations)}`,
  );

const tableKeys = (scope: RegionScope): Grant =>
  keysThroughService(scope, replicasAsked(scope), stateKeyAlias(scope.operations), 'dynamodb', dataKeyActions);

const readCoordination = (scope: RegionScope): readonly Grant[] => [
  grant({ actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Scan'], resources: coordinationTables(scope) }),
  tableKeys(scope),
];

/** Writes items of these keys and of no others; a `*` stands for epochs and hashes that come later. */
const writeCoordination = (scope: RegionScope, keys: readonly string[]): readonly Grant[] => [
  grant({
    actions: ['dynamodb:PutItem'],
    resources: coordinationTables(scope),
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] } },
  }),
  tableKeys(scope),
];

/** The hold and the containment are set, and taken away again. */
const setAndTakeAway = (scope: RegionScope, keys: readonly string[]): readonly Grant[] => [
  grant({
    actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
    resources: coordinationTables(scope),
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] } },
  }),
  tableKeys(scope),
];

/** Of every Region: whoever is in may have been anywhere. */
const readEvidence = ({ operations }: RegionScope): readonly Grant[] => {
  const regions = regionsOf(operations);
  const arn = (region: Region, group: string) => `arn:${partitionOf(region)}:logs:${region}:${operations.account}:log-group:${group}`;
  const groups = (region: Region) => [
    ...ownLogGroupPrefixes(operations).map((prefix) => `${prefix}*`),
    ...(operations.failover.evidence.logGroups[region] ?? []),
  ];
  return [
    grant({
      actions: ['logs:DescribeLogGroups'],
      resources: regions.map((region) => arn(region, '*')),
      because: 'a list call is authorized against every log group; it shows names only',
    }),
    grant({
      actions: ['logs:FilterLogEvents'],
      resources: regions.flatMap((region) => groups(region).map((group) => `${arn(region, group)}:*`)),
      because: 'the log groups of this deployment, by its prefix, and those that the config names; the end stands for their streams',
    }),
  ];
};

const globalClusters = ({ operations, region }: RegionScope): string =>
  `arn:${partitionOf(region)}:rds::${operations.account}:global-cluster:*`;

const describeReplicas = (scope: RegionScope): readonly Grant[] => [
  ...describe(scope),
  grant({
    actions: ['rds:DescribeGlobalClusters'],
    resources: [globalClusters(scope)],
    because: 'the config names clusters; which global cluster they belong to is looked up',
  }),
];

const promoteReplicas = (scope: RegionScope): readonly Grant[] => {
  const live = liveDatabases(scope, scope.region);
  if (live.length === 0) return describeReplicas(scope);
  return [
    ...describeReplicas(scope),
    grant({
      actions: ['rds:PromoteReadReplica', 'rds:FailoverGlobalCluster', 'rds:SwitchoverGlobalCluster'],
      resources: [...live, globalClusters(scope)],
      because: 'the config names clusters; which global cluster they belong to is looked up',
    }),
  ];
};

/** Keys under which storage lies, in every Region: RDS reads under the source's and writes under the replica's. */
const storageKeys = ({ operations }: RegionScope): readonly Grant[] => {
  const arns = operations.databases.flatMap(({ sites }) => Object.values(sites).flatMap((site) => site?.storageKeyArn ?? []));
  if (arns.length === 0) return [];
  return [grant({ actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:CreateGrant'], resources: [...new Set(arns)] })];
};

const groupsOfTheDeployer = (scope: RegionScope): readonly string[] => ['subgrp:*', 'pg:*', 'og:*'].map((group) => rdsArn(scope, group));
const sources = (scope: RegionScope): readonly string[] =>
  [scope.operations.regions.primary, scope.operations.regions.standby].flatMap((region) => liveDatabases(scope, region));

const rebuildReplicas = (scope: RegionScope): readonly Grant[] => {
  const live = liveDatabases(scope, scope.region);
  if (live.length === 0) return describeReplicas(scope);
  return [
    ...describeReplicas(scope),
    grant({ actions: ['rds:ModifyDBInstance', 'rds:AddTagsToResource'], resources: live }),
    grant({
      actions: ['rds:CreateDBInstanceReadReplica', 'rds:AddTagsToResource'],
      resources: [...new Set([...live, ...sources(scope)]), ...groupsOfTheDeployer(scope)],
      because: 'the new replica takes the subnet, parameter and option groups of what stood there, which the deployer named',
    }),
    ...storageKeys(scope),
  ];
};

const rehearse = (scope: RegionScope): readonly Grant[] => {
  const { operations, region } = scope;
  const because = 'rehearsals are named by time; the prefix is ours alone';
  const rehearsals = [databaseArn(operations, region, 'db', 'cbv-*'), databaseArn(operations, region, 'cluster', 'cbv-*')];
  return [
    ...describeReplicas(scope),
    grant({
      actions: ['rds:CreateDBInstanceReadReplica', 'rds:RestoreDBClusterToPointInTime', 'rds:AddTagsToResource'],
      resources: [
        ...rehearsals,
        ...sources(scope),
        ...groupsOfTheDeployer(scope),
        rdsArn(scope, `subgrp:${isolatedSubnetGroupName(operations)}`),
        rdsArn(scope, 'cluster-pg:*'),
      ],
      because: `${because}; a rehearsal lies in the groups of the replica that it stands beside, which the deployer named`,
    }),
    grant({ actions: ['rds:PromoteReadReplica'], resources: rehearsals, conditions: owned(scope), because }),
    ...storageKeys(scope),
    keysThroughService(scope, [region], backupKeyAlias(operations), 'rds', [...dataKeyActions, 'kms:CreateGrant']),
  ];
};

/** ARNs of what runs in one Region, by kind. */
export const capacityArns = ({ operations, region }: RegionScope, names: (name: string) => boolean = () => true) => {
  const arn = (service: string, resource: string) => `arn:${partitionOf(region)}:${service}:${region}:${operations.account}:${resource}`;
  const named = (kind: 'ecs-service' | 'auto-scaling-group') =>
    operations.failover.capacity.flatMap((item) => (item.kind === kind && names(item.name) ? (item.sites[region] ?? []) : []));
  const services = named('ecs-service').map((name) => arn('ecs', `service/${name}`));
  const groups = named('auto-scaling-group').map((name) => arn('autoscaling', `autoScalingGroup:*:autoScalingGroupName/${name}`));
  return { services, groups };
};

export const scale = (scope: RegionScope, names?: (name: string) => boolean): readonly Grant[] => {
  const { services, groups } = capacityArns(scope, names);
  return [
    ...(services.length > 0 ? [grant({ actions: ['ecs:DescribeServices', 'ecs:UpdateService'], resources: services })] : []),
    ...(groups.length > 0
      ? [
          grant({
            actions: ['autoscaling:SetDesiredCapacity'],
            resources: groups,
            because: 'the ARN of a group holds an id that AWS chose before its name',
          }),
          grant({
            actions: ['autoscaling:DescribeAutoScalingGroups'],
            resources: ['*'],
            because: 'DescribeAutoScalingGroups knows no resource; it reads, never changes',
          }),
        ]
      : []),
  ];
};

const isolate = (scope: RegionScope): readonly Grant[] => {
  const { operations, region } = scope;
  const arn = (resource: string) => `arn:${partitionOf(region)}:ec2:${region}:${operations.account}:${resource}`;
  const vpcs = new Set(operations.databases.flatMap(({ sites }) => siteIn(sites, region)?.network.vpcId ?? []));
  if (vpcs.size === 0) return [];
  return [
    ...describe(scope),
    grant({
      actions: ['ec2:DescribeSecurityGroups', 'ec2:DescribeSecurityGroupRules'],
      resources: ['*'],
      because: 'describing knows no resource; it reads, never changes',
    }),
    grant({
      actions: ['ec2:RevokeSecurityGroupIngress', 'ec2:AuthorizeSecurityGroupIngress'],
      resources: [arn('security-group/*')],
      conditions: { ArnEquals: { 'ec2:Vpc': [...vpcs].map((id) => arn(`vpc/${id}`)) } },
      because: 'which groups a database wears is looked up; a condition narrows it to the VPC of the databases',
    }),
    grant({
      actions: ['ec2:CreateTags', 'ec2:DeleteTags'],
      resources: [arn('security-group/*')],
      conditions: { 'ForAllValues:StringLike': { 'aws:TagKeys': [`${tagKeys.revokedRule}*`] } },
      because: 'which groups a database wears is looked up; a condition narrows it to the tags that note revoked rules',
    }),
  ];
};

const publish = (scope: RegionScope): readonly Grant[] => [
  grant({ actions: ['sns:Publish'], resources: [alarmTopicArn(scope.operations, scope.region)] }),
  keysThroughService(scope, [scope.region], stateKeyAlias(scope.operations), 'sns', ['kms:Decrypt', 'kms:GenerateDataKey']),
];

/** The IAM of one need of failover, in one Region: that Region's resources, and others' only where the comment says why. */
export function failoverPermissions(need: FailoverNeed, scope: RegionScope): readonly Grant[] {
  const { operations, region } = scope;
  if (operations.failover.mode === 'off' && need.startsWith('coordination:')) return []; // there is no table then
  switch (need) {
    case 'coordination:read':
      return readCoordination(scope);
    case 'coordination:vote':
      return writeCoordination(scope, [coordinationKeys.vote(region)]);
    case 'coordination:renew':
      return writeCoordination(scope, [coordinationKeys.record, coordinationKeys.receipt(region, '*')]);
    case 'coordination:claim':
      return writeCoordination(scope, [coordinationKeys.record]);
    case 'coordination:approve':
      return writeCoordination(scope, [coordinationKeys.request('*')]); // functions ask; answers are people's, with their own rights
    case 'coordination:approve-runbook':
      return writeCoordination(scope, [coordinationKeys.runbookRequest('*')]);
    case 'coordination:contain':
      return setAndTakeAway(scope, [coordinationKeys.hold, coordinationKeys.containment]);
    case 'evidence-logs:read':
      return readEvidence(scope);
    case 'coordination:hold':
      return setAndTakeAway(scope, [coordinationKeys.hold]);
    case 'fences:observe':
    case 'fences:renew':
      return liveCredentials(scope); // what it may do inside is the right of its role there
    case 'replicas:describe':
      return describeReplicas(scope);
    case 'replicas:promote':
      return promoteReplicas(scope);
    case 'replicas:rebuild':
      return rebuildReplicas(scope);
    case 'replicas:rehearse':
      return rehearse(scope);
    case 'replicas:prepare-swap':
      return prepareSwap(scope);
    case 'replicas:swap':
      return swapIn(scope);
    case 'probes:http':
      return [];
    case 'capacity:scale':
      return scale(scope);
    case 'routing-controls:switch': {
      const controls = Object.values(operations.failover.routing.arc?.controls ?? {});
      if (controls.length === 0) return [];
      return [grant({ actions: ['route53-recovery-cluster:UpdateRoutingControlStates'], resources: controls })];
    }
    case 'network-fence:isolate':
      return isolate(scope);
    case 'notices:publish':
      return publish(scope);
    case 'reports:read':
      return objects(scope, [region], 'reports', 'read');
    case 'reports:write':
      return objects(scope, [region], 'reports', 'write');
  }
}
