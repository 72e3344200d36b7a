import {
  auditLogTableName,
  auditTableName,
  partitionOf,
  restoredTablePrefix,
  stateKeyAlias,
  stateTableName,
} from '../../functions/common/names.ts';
import type { Need } from '../../functions/common/ports.ts';
import { type Grant, grant } from './grant.ts';
import { dataKeyActions, keysThroughService } from './key-grants.ts';
import type { RegionScope } from './region-scope.ts';

type StateBackupNeed = Extract<Need, `state-backups:${string}`>;
export const isStateBackupNeed = (need: Need): need is StateBackupNeed => need.startsWith('state-backups:');

const tableArn = ({ operations, region }: RegionScope, table: string): string =>
  `arn:${partitionOf(region)}:dynamodb:${region}:${operations.account}:table/${table}`;
const replicatedTables = (scope: RegionScope): readonly string[] =>
  [stateTableName(scope.operations), auditTableName(scope.operations)].map((table) => tableArn(scope, table));
const logTable = (scope: RegionScope): string => tableArn(scope, auditLogTableName(scope.operations));
/** The replicated tables are backed up by the Region that leads, the log's by every Region. */
const backedUpHere = (scope: RegionScope): readonly string[] => [
  ...(scope.role === 'tertiary' ? [] : replicatedTables(scope)),
  logTable(scope),
];

const because = 'backups are named by DynamoDB, restored tables by the time of their test';
const backupsOf = (tables: readonly string[]): readonly string[] => tables.map((table) => `${table}/backup/*`);
const restoredIn = (scope: RegionScope): string => tableArn(scope, `${restoredTablePrefix(scope.operations)}*`);

const listBackups = grant({
  actions: ['dynamodb:ListBackups'],
  resources: ['*'],
  because: 'ListBackups knows no resource; it shows names only',
});
const listTables = grant({
  actions: ['dynamodb:ListTables'],
  resources: ['*'],
  because: 'ListTables knows no resource; it shows names only',
});

const backUp = (tables: readonly string[]): readonly Grant[] => [
  grant({ actions: ['dynamodb:CreateBackup', 'dynamodb:DescribeTable'], resources: tables }),
  grant({ actions: ['dynamodb:DescribeBackup', 'dynamodb:DeleteBackup'], resources: backupsOf(tables), because }),
  listBackups,
];

/** Beside the live table, which is read and no more. */
const restore = (scope: RegionScope): readonly Grant[] => {
  const tables = backedUpHere(scope);
  return [
    listBackups,
    grant({ actions: ['dynamodb:DescribeBackup', 'dynamodb:RestoreTableFromBackup'], resources: backupsOf(tables), because }),
    grant({ actions: ['dynamodb:DescribeTable', 'dynamodb:Scan'], resources: tables }),
    grant({
      // The write actions are what DynamoDB asks of the caller of RestoreTableFromBackup on the table it makes.
      actions: [
        'dynamodb:RestoreTableFromBackup',
        'dynamodb:DescribeTable',
        'dynamodb:DeleteTable',
        'dynamodb:BatchGetItem',
        'dynamodb:GetItem',
        'dynamodb:Query',
        'dynamodb:Scan',
        'dynamodb:BatchWriteItem',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
      ],
      resources: [restoredIn(scope)],
      because,
    }),
    keysThroughService(scope, [scope.region], stateKeyAlias(scope.operations), 'dynamodb', [...dataKeyActions, 'kms:CreateGrant']),
  ];
};

/** The IAM of backups of Codeblue's own tables, each need in its own Region and on the tables that it is about. */
export function stateBackupPermissions(need: StateBackupNeed, scope: RegionScope): readonly Grant[] {
  switch (need) {
    case 'state-backups:backup':
      return backUp(replicatedTables(scope));
    case 'state-backups:backup-log':
      return backUp([logTable(scope)]);
    case 'state-backups:restore':
      return restore(scope);
    case 'state-backups:sweep':
      return [listTables, grant({ actions: ['dynamodb:DescribeTable', 'dynamodb:DeleteTable'], resources: [restoredIn(scope)], because })];
  }
}
