import type { Region } from '../../functions/common/ids.ts';
import {
  functionName,
  lockedVaultName,
  machineArn,
  machineName,
  partitionOf,
  queueArn,
  signalQueueNames,
  stateKeyAlias,
  stateTableName,
  vaultRoleArn,
} from '../../functions/common/names.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import type { Need } from '../../functions/common/ports.ts';
import { candidateRegions } from '../../functions/failover/leadership/candidates.ts';
import { runsRunbooks } from '../../functions/incidents/runbooks/targets.ts';
import { type MachineName, machineNames } from '../../functions/maintenance/ports.ts';
import { judgingRegions } from '../../functions/verify/judging-regions.ts';
import { auditPermissions, isAuditNeed, ownActs, watchMemoryKeys } from './audit-permissions.ts';
import { databasePermissions } from './database-permissions.ts';
import { failoverPermissions, isFailoverNeed } from './failover-permissions.ts';
import { type Grant, grant } from './grant.ts';
import { dataKeyActions, keysThroughService } from './key-grants.ts';
import { objects } from './object-grants.ts';
import { isPagingNeed, pagingPermissions } from './paging-permissions.ts';
import type { RegionScope } from './region-scope.ts';
import { isRunbookNeed, runbookPermissions } from './runbook-permissions.ts';
import { isStateBackupNeed, stateBackupPermissions } from './state-backup-permissions.ts';

/** What a permission needs to know besides the deployment. */
export interface PermissionScope extends RegionScope {
  /** Of this Region; absent in a Region that signs nothing. */
  readonly proofKeyArn: string | undefined;
  /** Of this Region; absent where nobody is paged. */
  readonly linkKeyArn: string | undefined;
  /** Tasks that may be invoked by name. */
  readonly taskNames: readonly string[];
}

const tableArn = ({ operations }: RegionScope, region: string, table: string): string =>
  `arn:${partitionOf(region)}:dynamodb:${region}:${operations.account}:table/${table}`;

/** Every function records its own acts and writes the ledger; metrics go out as log lines and need nothing. */
function recordKeeping(scope: PermissionScope): readonly Grant[] {
  const { operations, region } = scope;
  const state = tableArn(scope, region, stateTableName(operations));
  return [
    ...ownActs(scope),
    grant({ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [state] }),
    grant({
      actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resources: [state],
      // What the watch saw of the audit log is the watch's alone to write.
      conditions: { 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': watchMemoryKeys } },
    }),
    keysThroughService(scope, [region], stateKeyAlias(operations), 'dynamodb', dataKeyActions),
  ];
}

/** Lists in the state table of what is open, held back, unsent: a line goes when that is over. Nothing else there is ever deleted. */
const takeOffLists = (scope: PermissionScope, partitions: readonly string[]): readonly Grant[] => [
  grant({
    actions: ['dynamodb:DeleteItem'],
    resources: [tableArn(scope, scope.region, stateTableName(scope.operations))],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } },
  }),
];

/** Machines of every Region that judges: a task of one asks another to restore and judge its copies (row V5). */
function startExecutions(scope: PermissionScope, regions: readonly Region[], machines: readonly MachineName[]): readonly Grant[] {
  const { operations } = scope;
  const places = regions.flatMap((region) => machines.map((machine) => ({ region, machine })));
  return [
    grant({ actions: ['states:StartExecution'], resources: places.map(({ region, machine }) => machineArn(operations, region, machine)) }),
    grant({
      actions: ['states:DescribeExecution'],
      resources: places.map(
        ({ region, machine }) =>
          `arn:${partitionOf(region)}:states:${region}:${operations.account}:execution:${machineName(operations, machine)}:*`,
      ),
      because: 'executions of these machines only; each is named after what it will do',
    }),
    // Records of executions are encrypted with the state key, and Step Functions decrypts them for its caller.
    keysThroughService(scope, regions, stateKeyAlias(operations), 'states', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
}

const movesTheLead = (machine: MachineName): boolean =>
  !machine.startsWith('verify-') && !chasesPeople(machine) && machine !== 'run-runbook';
const chasesPeople = (machine: MachineName): boolean => machine === 'escalate-incident';

function lockedCopies(scope: PermissionScope): readonly Grant[] {
  const { operations, region } = scope;
  const { account } = operations;
  const partition = partitionOf(region);
  return [
    grant({
      actions: ['backup:StartBackupJob', 'backup:TagResource', 'backup:ListRecoveryPointsByBackupVault', 'backup:DescribeBackupVault'],
      resources: [`arn:${partition}:backup:${region}:${account}:backup-vault:${lockedVaultName(operations)}`],
    }),
    grant({
      actions: ['backup:DescribeBackupJob', 'backup:ListBackupJobs'],
      resources: ['*'],
      because: 'AWS Backup jobs know no resource; they are read, never changed',
    }),
    grant({
      actions: ['iam:PassRole'],
      resources: [vaultRoleArn(operations, region)],
      conditions: { StringEquals: { 'iam:PassedToService': 'backup.amazonaws.com' } },
    }),
  ];
}

/**
 * The IAM of one need, in one Region. Exact resources, except where the name is made later: there the pattern is as long
 * as it can be and `because` says why.
 */
function grantsFor(need: Need, scope: PermissionScope): readonly Grant[] {
  const { operations, region } = scope;
  switch (need) {
    case 'recovery-points:read':
    case 'recovery-points:write':
    case 'incidents:read':
    case 'outbox:read':
    case 'allowances:take':
      return []; // lines of the state table, which record keeping opens
    case 'incidents:write':
    case 'incidents:triage':
      return takeOffLists(scope, ['incidents#open#*', 'alarms#held#*']);
    case 'outbox:write':
      return takeOffLists(scope, ['pages#unsent#*']);
    case 'manifests:read':
      return objects(scope, regionsOf(operations), 'manifests', 'read');
    case 'manifests:write':
      return objects(scope, regionsOf(operations), 'manifests', 'write');
    case 'proofs:read':
      return objects(scope, regionsOf(operations), 'proofs', 'read');
    case 'proofs:write':
      return objects(scope, [region], 'proofs', 'write');
    case 'signer:sign':
      return scope.proofKeyArn
        ? [grant({ actions: ['kms:Sign', 'kms:GetPublicKey', 'kms:DescribeKey'], resources: [scope.proofKeyArn] })]
        : [];
    case 'executions:start':
      return startExecutions(scope, judgingRegions(operations), ['verify-recovery-point']);
    case 'executions:prove-tables':
      return startExecutions(scope, [region], ['verify-state-backup']);
    case 'executions:move':
      return operations.failover.mode === 'off'
        ? [] // there are no such machines then
        : startExecutions(scope, scope.staysHome ? [region] : candidateRegions(operations), machineNames.filter(movesTheLead));
    case 'signal-queue:send':
      return operations.incidents.mode === 'off'
        ? []
        : [
            grant({ actions: ['sqs:SendMessage'], resources: signalQueueNames.map((queue) => queueArn(operations, region, queue)) }),
            keysThroughService(scope, [region], stateKeyAlias(operations), 'sqs', ['kms:Decrypt', 'kms:GenerateDataKey']),
          ];
    case 'runbooks:start':
      return runsRunbooks(operations, region) ? startExecutions(scope, [region], ['run-runbook']) : [];
    case 'executions:escalate':
      return operations.incidents.mode === 'off' ? [] : startExecutions(scope, [region], machineNames.filter(chasesPeople));
    case 'task-invoker:invoke':
      return [
        grant({
          actions: ['lambda:InvokeFunction'],
          resources: scope.taskNames.map(
            (task) => `arn:${partitionOf(region)}:lambda:${region}:${operations.account}:function:${functionName(operations, task)}`,
          ),
        }),
      ];
    case 'vault:lock':
      return lockedCopies(scope);
    default:
      if (isStateBackupNeed(need)) return stateBackupPermissions(need, scope);
      if (isRunbookNeed(need)) return runbookPermissions(need, scope);
      if (isAuditNeed(need)) return auditPermissions(need, scope);
      if (isPagingNeed(need)) return pagingPermissions(need, scope);
      return isFailoverNeed(need) ? failoverPermissions(need, scope) : databasePermissions(need, scope);
  }
}

/** Everything that a function with these needs may do. */
export function grantsForAll(needs: readonly Need[], scope: PermissionScope): readonly Grant[] {
  return [...recordKeeping(scope), ...needs.flatMap((need) => grantsFor(need, scope))];
}

/** Needs that are about the live databases of one Region. */
const ofLiveDatabases: ReadonlySet<Need> = new Set([
  'sql-servers:live',
  'databases:describe',
  'databases:snapshot',
  'fences:observe',
  'network-fence:isolate',
  'replicas:describe',
  'replicas:rebuild',
]);

/** What a function with these needs may do with the live databases of another Region: for those that bring one back. */
export const grantsElsewhere = (needs: readonly Need[], scope: PermissionScope): readonly Grant[] =>
  needs.filter((need) => ofLiveDatabases.has(need)).flatMap((need) => grantsFor(need, scope));
