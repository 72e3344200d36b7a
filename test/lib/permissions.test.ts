import { describe, expect, test } from 'vitest';
import { operationNamed, stepLists, steps, tasks } from '../../functions/tasks.ts';
import { grant } from '../../lib/shared/grant.ts';
import { functionPolicies } from '../support/function-policies.ts';
import { synthesizedApp } from '../support/synthesized-app.ts';

const synthesized = synthesizedApp();
const policies = synthesized.templates.flatMap(functionPolicies);
const statements = policies.flatMap(({ operation, statements }) => statements.map((statement) => ({ operation, ...statement })));

test('every operation has a function in the primary Region, and every function a policy', () => {
  const deployed = functionPolicies(synthesized.template('us-east-1')).map(({ operation }) => operation);
  const scheduled = tasks.filter((task) => task.schedules(synthesized.operations).length > 0);
  expect(deployed.sort()).toEqual([...scheduled, ...steps].map((operation) => operation.name).sort());
});

/** An action, and the needs that alone may have it. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  'rds:CreateDBSnapshot': ['databases:snapshot'],
  'rds:CopyDBSnapshot': ['databases:copy-snapshot'],
  'rds:DeleteDBSnapshot': ['databases:remove-snapshot'],
  'rds:RestoreDBInstanceFromDBSnapshot': ['databases:restore'],
  'rds:RestoreDBClusterToPointInTime': ['databases:restore'],
  'rds:ModifyDBInstance': ['databases:restore'],
  'rds:DeleteDBInstance': ['databases:remove-restored'],
  'rds:DeleteDBCluster': ['databases:remove-restored'],
  'secretsmanager:GetSecretValue': ['sql-servers:live', 'sql-servers:restored'],
  's3:PutObject': ['manifests:write', 'proofs:write'],
  'kms:Sign': ['signer:sign'],
  'states:StartExecution': ['executions:start'],
  'lambda:InvokeFunction': ['task-invoker:invoke'],
  'backup:StartBackupJob': ['vault:lock'],
  'iam:PassRole': ['vault:lock'],
  'dynamodb:CreateBackup': ['state-backups:backup'],
  'dynamodb:DeleteBackup': ['state-backups:backup'],
  'dynamodb:DeleteTable': ['state-backups:restore'],
};

describe('a function may do exactly what its needs say', () => {
  test.each(Object.entries(reserved))('%s belongs to %j', (action, needs) => {
    const may = new Set(statements.filter((statement) => statement.Action.includes(action)).map(({ operation }) => operation));
    const should = new Set(
      policies.map(({ operation }) => operation).filter((name) => operationNamed(name).needs.some((need: string) => needs.includes(need))),
    );
    expect([...may].sort()).toEqual([...should].sort());
  });

  test('nobody may lift a lock, change a key or a role, or delete objects', () => {
    const never =
      /^(iam:(?!PassRole)|kms:(Schedule|Disable|Put|Retire|Revoke|Create(?!Grant))|s3:(Delete|Bypass|PutBucket|PutObjectRetention)|rds:Stop|ec2:(?!.*(NetworkInterface|Subnets|PrivateIpAddresses)))/;
    expect(statements.flatMap(({ Action }) => Action).filter((action) => never.test(action))).toEqual([]);
  });
});

describe('no wider than it must be', () => {
  test('an action is never a pattern', () => {
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
  });

  test('the resource `*` is left to services that know no resource for the call', () => {
    const anywhere = statements.filter(({ Resource }) => Resource.includes('*')).flatMap(({ Action }) => Action);
    expect([...new Set(anywhere)].sort()).toEqual([
      'backup:DescribeBackupJob',
      'backup:ListBackupJobs',
      'dynamodb:ListBackups',
      'dynamodb:ListTables',
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('what changes or removes RDS resources reaches our prefixes only, and removal our tag only', () => {
    const removing = statements.filter(({ Action }) => Action.some((action) => /^rds:(Delete|Modify)/.test(action)));
    expect(removing.length).toBeGreaterThan(0);
    for (const { Resource, Condition } of removing) {
      expect(Resource.filter((arn) => !/:(cb|cbv)-\*$/.test(arn))).toEqual([]);
      expect(Condition).toEqual({ StringEquals: { 'aws:ResourceTag/codeblue:owner': 'hms' } });
    }
  });

  test('only secrets of the config and of restored databases are readable', () => {
    const readable = statements.filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue'));
    for (const { operation, Resource, Condition } of readable) {
      const live = Resource.every((arn) => arn.includes(':secret:hms-') || arn.includes(':secret:billing-'));
      const ofRestored = JSON.stringify(Condition ?? {}).includes(':cbv-*');
      expect({ operation, ok: live || ofRestored }).toEqual({ operation, ok: true });
      expect(operationNamed(operation).network).toBe(live ? 'production' : 'isolated');
    }
  });

  test('a key that is not named is narrowed to one alias, and to one service when data passes through it', () => {
    const keys = statements.filter(({ Resource }) => Resource.some((arn) => /:key\/\*$/.test(arn)));
    expect(keys.length).toBeGreaterThan(0);
    for (const { Condition, Action } of keys) {
      expect(Condition?.['ForAnyValue:StringEquals']?.['kms:ResourceAliases']).toBeDefined();
      if (Action.join() !== 'kms:DescribeKey') expect(Condition?.StringEquals?.['kms:ViaService']).toBeDefined();
    }
  });

  test('no policy outgrows IAM (6 144 characters)', () => {
    expect(
      policies.filter(({ characters }) => characters > 6144).map(({ operation, characters }) => `${operation}: ${characters}`),
    ).toEqual([]);
  });
});

describe('a grant', () => {
  test('on a pattern wants a reason', () => {
    expect(() => grant({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::bucket/*'] })).toThrow(/says no reason/);
  });
  test('of a pattern of actions is refused', () => {
    expect(() => grant({ actions: ['kms:GenerateDataKey*'], resources: ['arn:aws:kms:x'] })).toThrow(/is a pattern/);
  });
});

describe('the machine that verifies a copy outside of the primary Region', () => {
  test('is denied every call into the primary, and nothing in the primary itself is', () => {
    const { primary, standby } = synthesized.operations.regions;
    const stepNames = new Set(stepLists.verification.map((step) => step.name));
    const denialsIn = (region: string) =>
      functionPolicies(synthesized.template(region))
        .filter(({ operation }) => stepNames.has(operation))
        .map(({ denials }) => denials.map(({ Action, Resource, Condition }) => ({ Action, Resource, Condition })));
    const everything = [{ Action: ['*'], Resource: ['*'], Condition: { StringEquals: { 'aws:RequestedRegion': primary } } }];
    expect(denialsIn(standby)).toEqual(stepLists.verification.map(() => everything));
    expect(denialsIn(primary)).toEqual(stepLists.verification.map(() => []));
  });
});
