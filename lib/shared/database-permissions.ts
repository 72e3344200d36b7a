import type { Region } from '../../functions/common/ids.ts';
import { backupKeyAlias, databaseArn, isolatedSubnetGroupName, partitionOf, snapshotArn, tagKeys } from '../../functions/common/names.ts';
import type { Database } from '../../functions/common/operations.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import type { Need } from '../../functions/common/ports.ts';
import { type Grant, grant } from './grant.ts';
import { dataKeyActions, keysThroughService } from './key-grants.ts';
import type { RegionScope } from './region-scope.ts';

export type DatabaseNeed = Extract<Need, `databases:${string}` | `snapshot-integrity:${string}` | `sql-servers:${string}`>;

const namedLater = 'snapshots and restored databases are named by time; the prefix is ours alone';

/** ARNs of the live databases in one Region: the instance, or the Aurora cluster. */
export function liveDatabases({ operations }: RegionScope, region: string): readonly string[] {
  return operations.databases.flatMap(({ engine, sites }) => {
    const site = siteIn(sites, region);
    return site ? [databaseArn(operations, region, engine === 'aurora-postgres' ? 'cluster' : 'db', site.identifier)] : [];
  });
}

export type Site = Database['sites'][Region];

/** Sites are keyed by Region; not every database has one in every Region. */
export const siteIn = (sites: Readonly<Record<string, Site | undefined>>, region: string): Site | undefined => sites[region];

const snapshots = ({ operations }: RegionScope, regions: readonly string[]): readonly string[] =>
  regions.flatMap((region) => [
    snapshotArn(operations, region, 'snapshot', 'cb-*'),
    snapshotArn(operations, region, 'cluster-snapshot', 'cb-*'),
  ]);

const restored = ({ operations, region }: RegionScope): readonly string[] => [
  databaseArn(operations, region, 'db', 'cbv-*'),
  databaseArn(operations, region, 'cluster', 'cbv-*'),
];

/** RDS resources other than databases, by type and name: subnet groups, parameter groups, option groups. */
export const rdsArn = ({ operations, region }: Pick<RegionScope, 'operations' | 'region'>, resource: string): string =>
  `arn:${partitionOf(region)}:rds:${region}:${operations.account}:${resource}`;

export const owned = ({ operations }: RegionScope) => ({ StringEquals: { [`aws:ResourceTag/${tagKeys.owner}`]: operations.name } });

/** A list call is authorized against the whole type: with narrower resources RDS refuses it instead of filtering. */
export const describe = ({ operations, region: own, staysHome = false }: RegionScope): readonly Grant[] => [
  grant({
    actions: [
      'rds:DescribeDBInstances',
      'rds:DescribeDBClusters',
      'rds:DescribeDBSnapshots',
      'rds:DescribeDBClusterSnapshots',
      'rds:DescribeDBInstanceAutomatedBackups',
      'rds:ListTagsForResource',
    ],
    resources: (staysHome ? [own] : regionsOf(operations)).flatMap((region) =>
      ['db', 'cluster', 'snapshot', 'cluster-snapshot', 'auto-backup'].map((type) => rdsArn({ operations, region }, `${type}:*`)),
    ),
    because: 'reads descriptions, never data; RDS authorizes a list call against every resource of the type',
  }),
];

const takeSnapshot = (scope: RegionScope): readonly Grant[] => [
  ...describe(scope),
  grant({
    actions: ['rds:CreateDBSnapshot', 'rds:CreateDBClusterSnapshot', 'rds:AddTagsToResource'],
    resources: [...liveDatabases(scope, scope.region), ...snapshots(scope, [scope.region])],
    because: namedLater,
  }),
];

/** RDS copies under two keys: it reads with the key of the source and writes with the backup key of the destination. */
const copySnapshot = (scope: RegionScope): readonly Grant[] => {
  const { operations } = scope;
  const regions = regionsOf(operations);
  const storageKeys = operations.databases.flatMap(({ sites }) => Object.values(sites).flatMap((site) => site?.storageKeyArn ?? []));
  return [
    ...describe(scope),
    grant({
      actions: ['rds:CopyDBSnapshot', 'rds:CopyDBClusterSnapshot', 'rds:AddTagsToResource'],
      resources: snapshots(scope, regions),
      because: namedLater,
    }),
    ...(storageKeys.length > 0
      ? [grant({ actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:CreateGrant'], resources: [...new Set(storageKeys)] })]
      : []),
    keysThroughService(scope, regions, backupKeyAlias(operations), 'rds', [...dataKeyActions, 'kms:CreateGrant']),
  ];
};

const removeSnapshot = (scope: RegionScope): readonly Grant[] => [
  ...describe(scope),
  grant({
    actions: ['rds:DeleteDBSnapshot', 'rds:DeleteDBClusterSnapshot'],
    resources: snapshots(scope, regionsOf(scope.operations)),
    conditions: owned(scope),
    because: namedLater,
  }),
];

/**
 * Restores name a subnet group, a parameter group and an option group besides the source and the new database. They get
 * AWS's default groups, whose names hold the engine's version; a live database's own groups stay with it.
 */
const restore = (scope: RegionScope): readonly Grant[] => {
  const { operations, region } = scope;
  const storageKeys = operations.databases.flatMap(({ sites }) => siteIn(sites, region)?.storageKeyArn ?? []);
  return [
    ...describe(scope),
    grant({
      actions: [
        'rds:RestoreDBInstanceFromDBSnapshot',
        'rds:RestoreDBInstanceToPointInTime',
        'rds:RestoreDBClusterFromSnapshot',
        'rds:RestoreDBClusterToPointInTime',
        'rds:CreateDBInstance',
        'rds:AddTagsToResource',
      ],
      resources: [
        ...restored(scope),
        ...snapshots(scope, [region]),
        ...liveDatabases(scope, region),
        rdsArn(scope, `subgrp:${isolatedSubnetGroupName(operations)}`),
        ...['pg:default.*', 'cluster-pg:default.*', 'og:default:*'].map((group) => rdsArn(scope, group)),
      ],
      because: `${namedLater}; default groups are named after the engine's version`,
    }),
    grant({
      actions: ['rds:ModifyDBInstance', 'rds:ModifyDBCluster'],
      resources: [...restored(scope)],
      conditions: owned(scope),
      because: namedLater,
    }),
    grant({
      actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
      resources: [`arn:${partitionOf(region)}:secretsmanager:${region}:${operations.account}:secret:rds!*`],
      because: 'RDS makes the password of a restored database in the name of its caller and chooses the name of the secret',
    }),
    ...(storageKeys.length > 0
      ? [grant({ actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:CreateGrant'], resources: [...new Set(storageKeys)] })]
      : []),
    keysThroughService(scope, [region], backupKeyAlias(operations), 'rds', [...dataKeyActions, 'kms:CreateGrant']),
    keysThroughService(scope, [region], backupKeyAlias(operations), 'secretsmanager', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
};

const removeRestored = (scope: RegionScope): readonly Grant[] => [
  ...describe(scope),
  grant({
    actions: ['rds:DeleteDBInstance', 'rds:DeleteDBCluster'],
    resources: restored(scope),
    conditions: owned(scope),
    because: namedLater,
  }),
];

const checkIntegrity = (scope: RegionScope): readonly Grant[] => {
  const { operations, region } = scope;
  return [
    ...describe(scope),
    grant({
      actions: ['kms:DescribeKey'],
      resources: [`arn:${partitionOf(region)}:kms:${region}:${operations.account}:key/*`],
      conditions: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': [backupKeyAlias(operations)] } },
      because: 'a condition narrows it to the backup key by its alias',
    }),
  ];
};

/** The secret of its own Region opens the database of every Region: a replica has the roles of its primary (functions/aws/sql-servers.ts). */
export function liveCredentials(scope: RegionScope): readonly Grant[] {
  const { operations, region } = scope;
  const sites = operations.databases.flatMap(({ sites: all }) => siteIn(all, region) ?? []);
  const secretKeys = sites.flatMap((site) => site.secretKeyArn ?? []);
  return [
    ...describe(scope),
    ...(sites.length > 0 ? [grant({ actions: ['secretsmanager:GetSecretValue'], resources: sites.map((site) => site.secretArn) })] : []),
    ...(secretKeys.length > 0
      ? [
          grant({
            actions: ['kms:Decrypt'],
            resources: [...new Set(secretKeys)],
            conditions: { StringEquals: { 'kms:ViaService': [`secretsmanager.${region}.amazonaws.com`] } },
          }),
        ]
      : []),
  ];
}

/** RDS tags the secrets that it manages with the database they open: only those of restored databases are readable. */
export const restoredCredentials = (scope: RegionScope): readonly Grant[] => {
  const { operations, region } = scope;
  const opens = { primaryDBInstanceArn: 'db', primaryDBClusterArn: 'cluster' } as const;
  return [
    ...describe(scope),
    ...Object.entries(opens).map(([tag, kind]) =>
      grant({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [`arn:${partitionOf(region)}:secretsmanager:${region}:${operations.account}:secret:rds!*`],
        conditions: { StringLike: { [`aws:ResourceTag/aws:rds:${tag}`]: [databaseArn(operations, region, kind, 'cbv-*')] } },
        because: 'RDS chooses the name of the secret; a condition narrows it to secrets of restored databases',
      }),
    ),
    keysThroughService(scope, [region], backupKeyAlias(operations), 'secretsmanager', ['kms:Decrypt']),
  ];
};

/** The grants of the needs that reach RDS, its snapshots and PostgreSQL credentials. */
export function databasePermissions(need: DatabaseNeed, scope: RegionScope): readonly Grant[] {
  switch (need) {
    case 'databases:describe':
      return describe(scope);
    case 'databases:snapshot':
      return takeSnapshot(scope);
    case 'databases:copy-snapshot':
      return copySnapshot(scope);
    case 'databases:remove-snapshot':
      return removeSnapshot(scope);
    case 'databases:restore':
      return restore(scope);
    case 'databases:remove-restored':
      return removeRestored(scope);
    case 'snapshot-integrity:check':
      return checkIntegrity(scope);
    case 'sql-servers:live':
      return liveCredentials(scope);
    case 'sql-servers:restored':
      return restoredCredentials(scope);
  }
}
