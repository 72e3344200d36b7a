import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { erasedAttributes, itemOf, timeAttributes } from '../../functions/aws/audit/event-items.ts';
import { queuedEntry } from '../../functions/aws/audit/queue-items.ts';
import { timestamp } from '../../functions/common/ids.ts';
import type { AnyOperation } from '../../functions/common/task.ts';
import { operationNamed, tasks } from '../../functions/tasks.ts';
import { writableAttributes } from '../../lib/shared/audit-permissions.ts';
import { anEvent } from '../support/audit-events.ts';
import { functionPolicies, type Statement } from '../support/function-policies.ts';
import { testOperations } from '../support/operations.ts';
import { resourcesOf, synthesizedApp } from '../support/synthesized-app.ts';

const given = testOperations();
const operations = testOperations({ audit: { ...given.audit, generation: 3 } });
const app = synthesizedApp(operations);
const { primary, standby, tertiary } = operations.regions;
const regions = [tertiary, standby, primary];

const OneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const Document = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.looseObject({
        Sid: z.string().optional(),
        Effect: z.enum(['Allow', 'Deny']),
        Principal: z.unknown().optional(),
        Action: OneOrMany.default([]),
        Resource: z.unknown().optional(),
        NotResource: z.unknown().optional(),
        Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
      }),
    ),
  }),
});

/** Every statement of every policy of roles: of functions, machines, schedules, replication, and CDK's own helpers. */
const allStatements = (region: string) =>
  Object.entries(app.template(region).Resources).flatMap(([id, { Type, Properties }]) => {
    if (Type !== 'AWS::IAM::ManagedPolicy' && Type !== 'AWS::IAM::Policy') return [];
    return Document.parse(Properties)
      .PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow')
      .map((statement) => ({ id, ...statement }));
  });

const tables = [`hms-codeblue-audit-events`, 'hms-codeblue-audit-log'];
const needsOf = (operation: string): readonly string[] => operationNamed(operation).needs;
/** Statements of functions that reach what the name says, by function. */
const onto = (region: string, reaches: (resource: string) => boolean) =>
  functionPolicies(app.template(region)).flatMap(({ operation, statements }) =>
    statements.filter(({ Resource }) => Resource.some(reaches)).map((statement) => ({ operation, ...statement })),
  );
const ofTables = (region: string) => onto(region, (arn) => tables.some((table) => arn.endsWith(`table/${table}`)));
const ofBucket = (region: string) => onto(region, (arn) => arn.includes(`:s3:::hms-codeblue-audit-`));
const operationsWith = (need: string) =>
  tasks.filter((task: AnyOperation) => task.needs.some((each: string) => each === need)).map(({ name }) => name);

describe('who may append may not delete', () => {
  test.each(regions)('%s: no role of any kind may delete a line of the log, or drop, restore over or loosen its tables', (region) => {
    const never = /^dynamodb:(Delete|BatchWrite|PartiQL|Update(Table|Continuous|TimeToLive)|Import|\*)|^\*$/;
    const found = allStatements(region).filter(
      ({ Action, Resource }) =>
        Action.some((action) => never.test(action)) && tables.some((table) => JSON.stringify(Resource ?? '').includes(`table/${table}"`)),
    );
    expect(found).toEqual([]);
    // A batch of writes is a right to delete: what restores a table has it there, and nobody else.
    const batches = allStatements(region).filter(({ Action }) => Action.includes('dynamodb:BatchWriteItem'));
    expect(batches.filter(({ Resource }) => !/table\/hms-restored-\*"?$/.test(JSON.stringify(Resource)))).toEqual([]);
  });

  test.each(regions)('%s: updates are those of the one who erases and the one who settles, and touch no leaf', (region) => {
    const updates = ofTables(region).filter(({ Action }) => Action.includes('dynamodb:UpdateItem'));
    for (const { operation, Action, Resource, Condition } of updates) {
      expect(Action).toEqual(['dynamodb:UpdateItem']);
      const isOfLog = Resource.every((arn) => arn.endsWith('-audit-log'));
      expect({ operation, may: needsOf(operation).includes(isOfLog ? 'audit-queue:settle' : 'audit-events:erase') }).toEqual({
        operation,
        may: true,
      });
      const attributes = z.array(z.string()).parse(Condition?.['ForAllValues:StringEquals']?.['dynamodb:Attributes']);
      expect(attributes).not.toContain('leaf');
      expect(attributes).not.toContain('recordedAt');
    }
    expect(updates.map(({ operation }) => operation)).toContain('sequence-audit-log');
  });

  test.each(regions)('%s: a put is of the own Region, of known attributes, and never of a place in the log', (region) => {
    const puts = ofTables(region).filter(({ Action }) => Action.includes('dynamodb:PutItem'));
    expect(new Set(puts.map(({ operation }) => operation)).size).toBeGreaterThan(10); // every function tells what it does
    for (const { operation, Resource, Condition } of puts) {
      const keys = [Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']].flat().map(String);
      const attributes = [Condition?.['ForAllValues:StringEquals']?.['dynamodb:Attributes']].flat().map(String);
      if (keys.includes('head')) {
        expect({ operation, keys }).toEqual({ operation: 'sequence-audit-log', keys: ['head', 'batch#*'] });
        continue;
      }
      const recordsAll = needsOf(operation).includes('audit-events:record');
      const ids = recordsAll ? /^(\*|\?{8}-\?{4}-8\?{3}-\?{4}-\?{12})$/ : /^\?{8}-\?{4}-8\?{3}-\?{4}-\?{12}$/;
      const prefix = Resource.every((arn) => arn.endsWith('-audit-log')) ? 'event#' : `${region}/`;
      for (const key of keys)
        expect([operation, key.startsWith(prefix), ids.test(key.slice(prefix.length))]).toEqual([operation, true, true]);
      expect(attributes).not.toContain('index');
      expect(attributes).not.toContain('generation');
      expect(attributes).not.toContain('erasedAt');
    }
  });

  test('what a need may write is what the adapters write', () => {
    const event = anEvent(1, {});
    const everyone = { ...event, body: event.body };
    const written = Object.keys(itemOf(everyone, new Date('2026-11-21T07:00:00Z')));
    expect(written.filter((name) => !writableAttributes.event.includes(name))).toEqual([]);
    const { Item } = queuedEntry({ operations }, event, new Date('2026-11-21T07:00:00Z'));
    expect(Object.keys(Item).sort()).toEqual([...writableAttributes.waiting].sort());
    const erased = [
      ...erasedAttributes,
      ...Object.keys(timeAttributes(event.eventId, `${timestamp(new Date(0))}#x` as never)),
      'erasedAt',
      'updatedAt',
      'eventKey',
    ];
    expect([...new Set(erased)].sort()).toEqual([...writableAttributes.erasure].sort());
  });

  test.each(regions)("%s: the log's objects are appended by the sequencer and removed by the sweeper, partial ones alone", (region) => {
    const may = (action: string) => [
      ...new Set(
        ofBucket(region)
          .filter(({ Action }) => Action.includes(action))
          .map(({ operation }) => operation),
      ),
    ];
    expect(may('s3:PutObject')).toEqual(operationsWith('audit-objects:append'));
    expect(may('s3:PutObjectRetention')).toEqual(operationsWith('audit-objects:append'));
    expect(may('s3:DeleteObjectVersion')).toEqual(operationsWith('audit-objects:sweep'));
    expect(may('s3:PutObject').filter((name) => may('s3:DeleteObjectVersion').includes(name))).toEqual([]);
    for (const { Action, Resource } of ofBucket(region).filter(({ Action }) => Action.some((action) => action.startsWith('s3:Delete')))) {
      expect(Resource).toEqual([`arn:aws:s3:::hms-codeblue-audit-111122223333-${region}/*/tile/*.p/*`]);
      expect(Action.filter((action) => action.startsWith('s3:Delete'))).toEqual(['s3:DeleteObjectVersion']);
    }
    // Another Region's log is read and no more.
    const elsewhere = ofBucket(region).filter(({ Resource }) => Resource.some((arn) => !arn.includes(region)));
    for (const { Action } of elsewhere) expect(['s3:GetObject', 's3:ListBucket']).toEqual(expect.arrayContaining(Action));
  });

  test.each(regions)('%s: what was seen of the log is written by the watch, and by nobody who can write the log', (region) => {
    const covers = ({ Condition }: Statement) => {
      const like = [Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? []].flat().map(String);
      const notLike = [Condition?.['ForAllValues:StringNotLike']?.['dynamodb:LeadingKeys'] ?? []].flat().map(String);
      if (like.length > 0) return like.some((key) => key === '*' || key.startsWith('audit-'));
      return !['audit-seen#*', 'audit-watch#*'].every((key) => notLike.includes(key));
    };
    const writers = onto(region, (arn) => arn.endsWith('table/hms-codeblue-state'))
      .filter(({ Action }) => Action.some((action) => /^dynamodb:(Put|Update|Delete|Batch|PartiQL)/.test(action)))
      .filter(covers)
      .map(({ operation }) => operation);
    const watching = operationsWith('audit-watch-memory:write').filter((name) =>
      functionPolicies(app.template(region)).some(({ operation }) => operation === name),
    );
    expect([...new Set(writers)].sort()).toEqual([...watching].sort());
    expect(writers.filter((name) => needsOf(name).some((need) => ['audit-objects:append', 'audit-head:write'].includes(need)))).toEqual([]);
  });
});

describe('nobody may shorten a lock', () => {
  test.each(regions)('%s: no role may bypass, hold or loosen one, or put a retention that is not a new object’s', (region) => {
    const never = /^s3:(Bypass|PutObjectLegalHold|PutBucket|PutLifecycle|PutReplication|DeleteBucket|DeleteObject$|\*)|^\*$/;
    expect(allStatements(region).filter(({ Action }) => Action.some((action) => never.test(action)))).toEqual([]);
    const retentions = allStatements(region).filter(({ Action }) => Action.includes('s3:PutObjectRetention'));
    expect(retentions.map(({ Condition }) => Condition)).toEqual([{ StringEquals: { 's3:object-lock-mode': 'COMPLIANCE' } }]);
  });

  /** A denial of a bucket's policy, with the roles that it spares. */
  const denials = (region: string, bucketName: string) => {
    const template = app.template(region);
    const [[bucketId] = []] = resourcesOf(template, 'AWS::S3::Bucket').filter(([, { Properties }]) => Properties.BucketName === bucketName);
    const [[, policy] = []] = resourcesOf(template, 'AWS::S3::BucketPolicy').filter(
      ([, { Properties }]) => JSON.stringify(Properties.Bucket) === JSON.stringify({ Ref: bucketId }),
    );
    return Document.parse(policy?.Properties).PolicyDocument.Statement;
  };
  const spared = (region: string, condition: unknown): readonly string[] => {
    const ids = z.object({ ArnNotEquals: z.object({ 'aws:PrincipalArn': z.unknown() }) }).parse(condition).ArnNotEquals['aws:PrincipalArn'];
    const roleIds = [ids]
      .flat()
      .map((id) => z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }).parse(id)['Fn::GetAtt'][0]);
    return resourcesOf(app.template(region), 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
      const role = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).safeParse(Properties.Role).data?.['Fn::GetAtt'][0];
      return role && roleIds.includes(role) ? [String(Properties.FunctionName)] : [];
    });
  };

  test.each(regions)(
    "%s: the bucket's own policy says so to everybody, and spares the sequencer and the sweeper in what is theirs",
    (region) => {
      const statements = denials(region, `hms-codeblue-audit-111122223333-${region}`);
      const bySid = new Map(statements.map((statement) => [statement.Sid, statement]));
      expect(statements.every(({ Effect, Principal }) => Effect === 'Deny' && JSON.stringify(Principal) === '{"AWS":"*"}')).toBe(true);
      const unconditional = statements.filter(({ Condition, NotResource }) => !Condition && !NotResource).flatMap(({ Action }) => Action);
      expect(unconditional.sort()).toEqual(['s3:BypassGovernanceRetention', 's3:DeleteObject']);
      expect(bySid.get('OnlyPartialTilesGo')).toMatchObject({ Action: ['s3:DeleteObjectVersion'] });
      expect(bySid.get('OnlyPartialTilesGo')?.Condition).toBeUndefined();
      expect(JSON.stringify(bySid.get('OnlyPartialTilesGo')?.NotResource)).toContain('/*/tile/*.p/*');
      expect(spared(region, bySid.get('OnlyTheSweeperRemoves')?.Condition)).toEqual(['hms-codeblue-sweep-audit-tiles']);
      expect(spared(region, bySid.get('OnlyTheSequencerAppends')?.Condition)).toEqual(['hms-codeblue-sequence-audit-log']);
      expect(bySid.get('OnlyTheSequencerAppends')?.Action).toEqual(expect.arrayContaining(['s3:PutObject', 's3:PutObjectRetention']));
      expect(bySid.get('EveryLockIsWhole')?.Condition).toEqual({ NumericLessThan: { 's3:object-lock-remaining-retention-days': '2556' } });
      expect(bySid.get('OnlyDeploymentsChangeTheBucket')?.Action).toEqual(
        expect.arrayContaining(['s3:PutBucketObjectLockConfiguration', 's3:PutLifecycleConfiguration']),
      );
    },
  );

  test.each([
    [primary, standby],
    [standby, tertiary],
    [tertiary, primary],
  ])('the log of %s is copied to %s without its deletions, and nobody may write or remove the copy', (region, to) => {
    const copy = `hms-codeblue-copy-111122223333-${region}`;
    const [rule] = resourcesOf(app.template(region), 'AWS::S3::Bucket').flatMap(([, { Properties }]) =>
      Properties.BucketName === `hms-codeblue-audit-111122223333-${region}`
        ? z.object({ ReplicationConfiguration: z.object({ Rules: z.array(z.looseObject({})) }) }).parse(Properties).ReplicationConfiguration
            .Rules
        : [],
    );
    expect(rule).toMatchObject({ Status: 'Enabled', DeleteMarkerReplication: { Status: 'Disabled' } });
    expect(rule).toMatchObject({
      Destination: { EncryptionConfiguration: { ReplicaKmsKeyID: `arn:aws:kms:${to}:111122223333:alias/hms-codeblue-backup` } },
    });
    expect(JSON.stringify(rule)).toContain(copy);
    // The role of the replication reads that log, writes that copy, and nothing else.
    const reached = allStatements(region)
      .filter(({ Action }) => Action.some((action) => action.startsWith('s3:Replicate') || action === 's3:GetObjectVersionForReplication'))
      .flatMap(({ Resource }) => z.array(z.string()).parse([Resource].flat()))
      .filter((arn) => arn.includes(':::hms-codeblue-audit-') || arn.includes(':::hms-codeblue-copy-'));
    expect(reached.sort()).toEqual([`arn:aws:s3:::hms-codeblue-audit-111122223333-${region}/*`, `arn:aws:s3:::${copy}/*`]);
    const closedToAll = denials(to, copy)
      .filter(({ Condition, NotResource }) => !Condition && !NotResource)
      .flatMap(({ Action }) => Action);
    expect(closedToAll).toEqual(
      expect.arrayContaining([
        's3:BypassGovernanceRetention',
        's3:DeleteObject',
        's3:DeleteObjectVersion',
        's3:PutObject',
        's3:PutObjectRetention',
      ]),
    );
  });

  test.each(regions)('%s: log and copies are locked in compliance mode for as long as the config says', (region) => {
    const locks = resourcesOf(app.template(region), 'AWS::S3::Bucket').flatMap(([, { Properties }]) =>
      /^hms-codeblue-(audit|copy)-/.test(String(Properties.BucketName)) ? [Properties.ObjectLockConfiguration] : [],
    );
    expect(locks).toHaveLength(2);
    for (const lock of locks)
      expect(lock).toEqual({ ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Days: 2557, Mode: 'COMPLIANCE' } } });
  });
});

describe('the keys of the log', () => {
  test.each(regions)('%s: only the sequencer may sign, in the eyes of its role and of the keys', (region) => {
    const signing = functionPolicies(app.template(region)).flatMap(({ operation, statements }) =>
      statements.filter(({ Action }) => Action.includes('kms:Sign')).map((statement) => ({ operation, ...statement })),
    );
    const ofLog = signing.filter(({ Condition }) => JSON.stringify(Condition ?? {}).includes('audit-log'));
    expect(ofLog.map(({ operation }) => operation)).toEqual(['sequence-audit-log']);
    expect(ofLog[0]?.Condition?.['ForAnyValue:StringEquals']).toEqual({
      'kms:ResourceAliases': ['alias/hms-codeblue-audit-log-2', 'alias/hms-codeblue-audit-log-3'],
    });
    // Every other right to sign names the key of proofs.
    for (const { Resource } of signing.filter((each) => !ofLog.includes(each))) expect(JSON.stringify(Resource)).toMatch(/Proof/);

    const keys = resourcesOf(app.template(region), 'AWS::KMS::Key').filter(([, { Properties }]) =>
      String(Properties.Description).includes('checkpoints of the audit log'),
    );
    expect(keys).toHaveLength(3);
    for (const [, { Properties }] of keys) {
      expect(Properties).toMatchObject({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
      const { Statement } = z.object({ Statement: z.array(z.looseObject({})) }).parse(Properties.KeyPolicy);
      const [denied] = Statement.filter(({ Effect }) => Effect === 'Deny');
      const isOver = String(Properties.Description).includes('generation 1 ');
      expect(denied).toMatchObject({ Action: 'kms:Sign', Principal: { AWS: '*' } });
      expect('Condition' in (denied ?? {})).toBe(!isOver);
    }
  });

  test.each(regions)('%s: their public halves are read by alias, and nothing else of them', (region) => {
    const reading = functionPolicies(app.template(region)).flatMap(({ statements }) =>
      statements.filter(({ Action }) => Action.join() === 'kms:GetPublicKey'),
    );
    expect(reading.length).toBeGreaterThan(0);
    for (const { Condition } of reading)
      expect(Condition).toEqual({ 'ForAnyValue:StringLike': { 'kms:ResourceAliases': ['alias/hms-codeblue-audit-log-*'] } });
  });
});

describe('the doors', () => {
  test.each(regions)('%s: the bus and the address let in principals of this account by their own policies, and nobody else', (region) => {
    const { Resources } = app.template(region);
    expect(Object.values(Resources).filter(({ Type }) => Type === 'AWS::Events::EventBusPolicy')).toEqual([]);
    const [[, bus] = []] = resourcesOf(app.template(region), 'AWS::Events::EventBus');
    expect(bus?.Properties).toMatchObject({ Name: 'hms-codeblue-audit-events', KmsKeyIdentifier: expect.anything() });
    expect(bus?.Properties).not.toHaveProperty('Policy');
    const signed = resourcesOf(app.template(region), 'AWS::Lambda::Url').filter(([, { Properties }]) => Properties.AuthType === 'AWS_IAM');
    expect(signed).toHaveLength(1);
    const target = JSON.stringify(signed[0]?.[1].Properties.TargetFunctionArn);
    const permissions = resourcesOf(app.template(region), 'AWS::Lambda::Permission').filter(
      ([, { Properties }]) => JSON.stringify(Properties.FunctionName) === target,
    );
    expect(permissions).toEqual([]);
  });

  test.each(regions)('%s: whatever is put on the bus reaches the queue', (region) => {
    const rules = resourcesOf(app.template(region), 'AWS::Events::Rule').filter(([, { Properties }]) => 'EventBusName' in Properties);
    expect(rules.map(([, { Properties }]) => Properties.EventPattern)).toEqual([{ account: ['111122223333'] }]);
  });
});
