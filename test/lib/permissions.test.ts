import { describe, expect, test } from 'vitest';
import { hours } from '../../functions/common/duration.ts';
import { consumers, endpoints, operationNamed, stepLists, steps, tasks } from '../../functions/tasks.ts';
import { grant } from '../../lib/shared/grant.ts';
import { functionPolicies } from '../support/function-policies.ts';
import { testOperations } from '../support/operations.ts';
import { aRunbook, restartOrders } from '../support/runbook-world.ts';
import { synthesizedApp } from '../support/synthesized-app.ts';

/** One runbook of each kind: with them everything that Codeblue can do is deployed. */
const runbooks = [
  restartOrders,
  aRunbook({ kind: 'scale-out', capacity: 'orders-api', by: 2, atMost: 9 }),
  aRunbook({ kind: 'end-long-queries', database: 'hms', olderThan: hours(1) }, { subject: 'hms' }),
  aRunbook({ kind: 'enlarge-storage', database: 'hms', byPercent: 20, atMostGigabytes: 500 }, { subject: 'hms' }),
  aRunbook({ kind: 'emergency-backup', database: 'hms' }, { subject: 'hms' }),
].map((runbook) => ({ ...runbook, id: runbook.action.kind }));
const { incidents } = testOperations();
const synthesized = synthesizedApp(testOperations({ incidents: { ...incidents, mode: 'on', runbooks } }));
const policies = synthesized.templates.flatMap(functionPolicies);
const statements = policies.flatMap(({ operation, statements }) => statements.map((statement) => ({ operation, ...statement })));

test('every operation has a function in the primary Region, and every function a policy', () => {
  const deployed = functionPolicies(synthesized.template('us-east-1')).map(({ operation }) => operation);
  const scheduled = tasks.filter((task) => task.schedules(synthesized.operations).length > 0);
  const expected = [...scheduled, ...steps, ...consumers, ...endpoints];
  expect(deployed.sort()).toEqual(expected.map((operation) => operation.name).sort());
});

/** An action, and the needs that alone may have it. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  'rds:CreateDBSnapshot': ['databases:snapshot'],
  'rds:CopyDBSnapshot': ['databases:copy-snapshot'],
  'rds:DeleteDBSnapshot': ['databases:remove-snapshot'],
  'rds:RestoreDBInstanceFromDBSnapshot': ['databases:restore'],
  'rds:RestoreDBClusterToPointInTime': ['databases:restore', 'replicas:rehearse'],
  'rds:ModifyDBInstance': ['databases:restore', 'replicas:rebuild', 'replicas:prepare-swap', 'replicas:swap', 'runbooks:enlarge-storage'],
  'rds:RebootDBInstance': ['replicas:prepare-swap'],
  'rds:RemoveTagsFromResource': ['replicas:prepare-swap'],
  'rds:PromoteReadReplica': ['replicas:promote', 'replicas:rehearse'],
  'rds:FailoverGlobalCluster': ['replicas:promote'],
  'rds:CreateDBInstanceReadReplica': ['replicas:rebuild', 'replicas:rehearse'],
  'ecs:UpdateService': ['capacity:scale', 'runbooks:restart', 'runbooks:scale-out'],
  'ec2:RevokeSecurityGroupIngress': ['network-fence:isolate'],
  'sns:Publish': ['notices:publish', 'channels:send'],
  'logs:FilterLogEvents': ['evidence-logs:read'],
  'rds:DeleteDBInstance': ['databases:remove-restored'],
  'rds:DeleteDBCluster': ['databases:remove-restored'],
  'secretsmanager:GetSecretValue': [
    ...['sql-servers:live', 'sql-servers:restored', 'fences:observe', 'fences:renew', 'fences:install', 'replicas:prepare-swap'],
  ],
  's3:PutObject': ['manifests:write', 'proofs:write', 'reports:write', 'audit-objects:append'],
  's3:PutObjectRetention': ['audit-objects:append'],
  's3:DeleteObjectVersion': ['audit-objects:sweep'],
  'kms:Sign': ['signer:sign', 'checkpoint-signer:sign'],
  'kms:GenerateMac': ['link-signer:sign', 'link-signer:verify'],
  'states:StartExecution': ['executions:start', 'executions:prove-tables', 'executions:move', 'executions:escalate', 'runbooks:start'],
  'lambda:InvokeFunction': ['task-invoker:invoke'],
  'backup:StartBackupJob': ['vault:lock'],
  'iam:PassRole': ['vault:lock'],
  'dynamodb:CreateBackup': ['state-backups:backup', 'state-backups:backup-log'],
  'dynamodb:DeleteBackup': ['state-backups:backup', 'state-backups:backup-log'],
  'dynamodb:DeleteTable': ['state-backups:restore', 'state-backups:sweep'],
};

describe('a function may do exactly what its needs say', () => {
  test.each(Object.entries(reserved))('%s belongs to %j', (action, needs) => {
    const may = new Set(statements.filter((statement) => statement.Action.includes(action)).map(({ operation }) => operation));
    const should = new Set(
      policies.map(({ operation }) => operation).filter((name) => operationNamed(name).needs.some((need: string) => needs.includes(need))),
    );
    expect([...may].sort()).toEqual([...should].sort());
  });

  // What the audit log's sequencer and sweeper may do with locks and versions: test/lib/audit-permissions.test.ts.
  test('nobody may lift a lock, change a key or a role, or delete objects', () => {
    const never =
      /^(iam:(?!PassRole)|kms:(Schedule|Disable|Put|Retire|Revoke|Create(?!Grant))|s3:(Delete(?!ObjectVersion$)|Bypass|PutBucket)|rds:Stop|ec2:(?!.*(NetworkInterface|Subnets|PrivateIpAddresses|SecurityGroupIngress|DescribeSecurityGroup|Tags)))/;
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
      'ec2:DescribeSecurityGroupRules',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
      'rds:DescribeEvents',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  test('what changes or removes RDS resources reaches our prefixes only, and removal our tag only', () => {
    const removing = statements.filter(({ Action }) => Action.some((action) => /^rds:(Delete|Modify)/.test(action)));
    expect(removing.length).toBeGreaterThan(0);
    const renames = new Set(['replicas:rebuild', 'replicas:swap']);
    for (const { operation, Action, Resource, Condition } of removing) {
      const needs = operationNamed(operation).needs.map(String);
      if (Condition === undefined && needs.some((need) => renames.has(need))) {
        // What puts an old primary or a damaged one aside renames it: the databases of the config, and no other.
        expect(Resource.filter((arn) => !/:(db|cluster):(hms|billing)-[a-z]+$/.test(arn))).toEqual([]);
        continue;
      }
      if (Condition === undefined && needs.includes('runbooks:enlarge-storage')) {
        // Storage grows in the databases that a runbook names, in the Region of the run.
        expect(Action).toEqual(['rds:ModifyDBInstance']);
        expect(Resource).toEqual([
          expect.stringMatching(/:rds:(us-east-1:111122223333:db:hms-primary|us-west-2:111122223333:db:hms-replica)$/),
        ]);
        continue;
      }
      if (Condition === undefined && needs.includes('replicas:prepare-swap')) {
        // Groups that an instance is given are resources of the call; no database is among them.
        expect({ Action, other: Resource.filter((arn) => !/:(subgrp|pg):\*$/.test(arn)) }).toEqual({
          Action: ['rds:ModifyDBInstance'],
          other: [],
        });
        continue;
      }
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
      // A rehearsal's replica lies in the production VPC, behind a group that only our functions pass; so does, at the end, a copy that is made fit to stand in.
      const inProduction =
        operation === 'write-to-replica' || operationNamed(operation).needs.some((need: string) => need === 'replicas:prepare-swap');
      const restoredIn = inProduction ? /^production$/ : /^isolated$/;
      expect(operationNamed(operation).network).toMatch(live ? /^production/ : restoredIn);
    }
  });

  test('a key that is not named is narrowed to one alias, and to one service when data passes through it', () => {
    const keys = statements.filter(({ Resource }) => Resource.some((arn) => /:key\/\*$/.test(arn)));
    expect(keys.length).toBeGreaterThan(0);
    for (const { Condition, Action } of keys) {
      const byAlias = Condition?.['ForAnyValue:StringEquals'] ?? Condition?.['ForAnyValue:StringLike'];
      expect(byAlias?.['kms:ResourceAliases']).toBeDefined();
      if (!['kms:DescribeKey', 'kms:GetPublicKey', 'kms:Sign'].includes(Action.join()))
        expect(Condition?.StringEquals?.['kms:ViaService']).toBeDefined();
    }
  });

  test('no policy outgrows IAM (6 144 characters)', () => {
    expect(
      policies.filter(({ characters }) => characters > 6144).map(({ operation, characters }) => `${operation}: ${characters}`),
    ).toEqual([]);
  });
});

describe('the coordination table', () => {
  const scopes = [
    { role: 'primary', region: 'us-east-1', tables: ['us-east-1'] },
    { role: 'standby', region: 'us-west-2', tables: ['us-west-2'] },
    { role: 'tertiary', region: 'eu-west-1', tables: ['us-west-2', 'us-east-1'] },
  ] as const;
  const tableIn = (region: string) => `arn:aws:dynamodb:${region}:111122223333:table/hms-codeblue-coordination`;
  const ofTable = (region: string) =>
    functionPolicies(synthesized.template(region)).flatMap(({ operation, statements }) =>
      statements
        .filter(({ Resource }) => Resource.some((arn) => arn.endsWith('-coordination')))
        .map((statement) => ({ operation, ...statement })),
    );

  test.each(scopes)('$role: only its own replica is asked, or both where there is none', ({ region, tables }) => {
    const asked = ofTable(region);
    expect(asked.length).toBeGreaterThan(0);
    for (const { Resource } of asked) expect(Resource.toSorted()).toEqual(tables.map(tableIn).toSorted());
  });

  /** Keys that a need may write, in the words of the condition. */
  const writes: Readonly<Record<string, (region: string) => readonly string[]>> = {
    'coordination:vote': (region) => [`vote#${region}`],
    'coordination:renew': (region) => ['record', `receipt#${region}#*`],
    'coordination:claim': () => ['record'],
    'coordination:approve': () => ['request#*'],
    'coordination:approve-runbook': () => ['runbook-request#*'],
    'coordination:hold': () => ['hold'],
    'coordination:contain': () => ['hold', 'containment'],
  };

  test.each(scopes)('$role: each need writes items of its own and of nobody else, and no function answers for people', ({ region }) => {
    for (const { operation, Action, Condition } of ofTable(region).filter((statement) => !statement.Action.includes('dynamodb:GetItem'))) {
      // Only what is set for a time is ever taken away again.
      const given = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
      const forATime = [given].flat().every((key) => key === 'hold' || key === 'containment');
      expect({ operation, Action: Action.toSorted() }).toEqual({
        operation,
        Action: [...(forATime ? ['dynamodb:DeleteItem'] : []), 'dynamodb:PutItem'],
      });
      const keys = operationNamed(operation).needs.flatMap((need: string) => (writes[need] ? [writes[need](region)] : []));
      expect(keys).toContainEqual(given);
    }
    const mayWrite = new Set(
      ofTable(region)
        .filter(({ Action }) => Action.includes('dynamodb:PutItem'))
        .map(({ operation }) => operation),
    );
    const deployed = functionPolicies(synthesized.template(region)).map(({ operation }) => operation);
    const should = deployed.filter((name) => operationNamed(name).needs.some((need: string) => need in writes));
    expect([...mayWrite].sort()).toEqual(should.sort());
  });
});

test.each(['coordination:approve', 'coordination:approve-runbook'])('whoever may write with %s may read what was asked already', (need) => {
  const asking = policies.filter(({ operation }) => operationNamed(operation).needs.some((each: string) => each === need));
  expect(asking.length).toBeGreaterThan(0);
  for (const { operation, statements: own } of asking) {
    const reading = own.filter(
      ({ Action, Resource }) => Action.includes('dynamodb:GetItem') && Resource.some((arn) => arn.endsWith('-coordination')),
    );
    expect({ operation, reads: reading.length }).toEqual({ operation, reads: 1 });
  }
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
    const { primary, standby, tertiary } = synthesized.operations.regions;
    const proving = [...stepLists.verification, ...stepLists.tableVerification];
    const stepNames = new Set(proving.map((step) => step.name));
    const denialsIn = (region: string) =>
      functionPolicies(synthesized.template(region))
        .filter(({ operation }) => stepNames.has(operation))
        .map(({ denials }) => denials.map(({ Action, Resource, Condition }) => ({ Action, Resource, Condition })));
    const everything = [{ Action: ['*'], Resource: ['*'], Condition: { StringEquals: { 'aws:RequestedRegion': primary } } }];
    expect(denialsIn(standby)).toEqual(proving.map(() => everything));
    expect(denialsIn(tertiary)).toEqual(stepLists.tableVerification.map(() => everything)); // judges no database in this deployment
    expect(denialsIn(primary)).toEqual(proving.map(() => []));
  });
});
