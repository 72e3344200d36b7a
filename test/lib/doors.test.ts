import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { severities } from '../../functions/common/incident-policy.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import { alarmNameOf, watchingNameOf } from '../../functions/incidents/alarms/alarm-name.ts';
import { alarmTable } from '../../functions/incidents/alarms/table.ts';
import { consumers, tasks } from '../../functions/tasks.ts';
import { testOperations } from '../support/operations.ts';
import { resourcesOf, synthesizedApp } from '../support/synthesized-app.ts';

const incidentsThat = (mode: 'on' | 'off') => testOperations({ incidents: { ...testOperations().incidents, mode } });
const operations = incidentsThat('on');
const synthesized = synthesizedApp(operations);
const everyRegion = regionsOf(operations);
const properties = (region: string, type: string) =>
  resourcesOf(synthesized.template(region), type).map(([, resource]) => resource.Properties);

const Attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform((value) => value['Fn::GetAtt'][0]);
const Queue = z.looseObject({
  QueueName: z.string(),
  KmsMasterKeyId: z.unknown(),
  VisibilityTimeout: z.number().optional(),
  MessageRetentionPeriod: z.number(),
  RedrivePolicy: z.object({ deadLetterTargetArn: Attribute, maxReceiveCount: z.number() }).optional(),
});
const queuesOf = (region: string) =>
  resourcesOf(synthesized.template(region), 'AWS::SQS::Queue').map(([id, { Properties }]) => ({ id, ...Queue.parse(Properties) }));
const Pattern = z.object({
  detail: z.object({ alarmName: z.array(z.object({ prefix: z.string() })).optional(), severity: z.array(z.number()).optional() }),
});
const Rule = z.looseObject({
  EventPattern: Pattern,
  Targets: z.tuple([z.looseObject({ Arn: Attribute, DeadLetterConfig: z.object({ Arn: Attribute }) })]),
});
/** Of the account's own bus: the one of audit events has a door of its own (test/lib/audit-permissions.test.ts). */
const rulesOf = (region: string) =>
  properties(region, 'AWS::Events::Rule')
    .filter((rule) => !Object.hasOwn(z.record(z.string(), z.unknown()).parse(rule), 'EventBusName'))
    .map((rule) => Rule.parse(rule));

describe.each(everyRegion)('the doors of %s', (region) => {
  const queues = queuesOf(region);
  const named = (name: string) => queues.find(({ QueueName }) => QueueName === `hms-codeblue-${name}`);

  test.each(['urgent-signals', 'signals'])('%s gives up into a queue of its own, both under our key, after half an hour', (name) => {
    const [queue, dead] = [named(name), named(`${name}-dead-letters`)];
    expect(queue?.RedrivePolicy?.deadLetterTargetArn).toBe(dead?.id);
    expect((queue?.VisibilityTimeout ?? 0) * (queue?.RedrivePolicy?.maxReceiveCount ?? 0)).toBe(1800);
    for (const each of [queue, dead]) expect(JSON.stringify(each?.KmsMasterKeyId)).toContain('KeysState');
  });

  test('a run that dies is over before its messages are delivered again', () => {
    const Worker = z.looseObject({ FunctionName: z.string().optional(), Timeout: z.number() });
    const workers = properties(region, 'AWS::Lambda::Function').map((each) => Worker.parse(each));
    for (const [worker, queue] of [
      ['triage-urgent-signals', 'urgent-signals'],
      ['triage-signals', 'signals'],
    ] as const) {
      const { Timeout } = workers.find(({ FunctionName }) => FunctionName === `hms-codeblue-${worker}`) ?? { Timeout: Number.NaN };
      expect(named(queue)?.VisibilityTimeout).toBeGreaterThanOrEqual(Timeout);
    }
  });

  test('batches report what failed, message by message, and no more than the queue bounds run at a time', () => {
    const sources = properties(region, 'AWS::Lambda::EventSourceMapping');
    const bounds = sources.map((source) => {
      expect(source).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
      return z.looseObject({ ScalingConfig: z.object({ MaximumConcurrency: z.int() }) }).parse(source).ScalingConfig.MaximumConcurrency;
    });
    expect(bounds.sort((a, b) => a - b)).toEqual(consumers.map(({ concurrency }) => concurrency).sort((a, b) => a - b));
  });

  test('each alarm that tells people goes to exactly one queue, severity 1 to the urgent one; one that only watches to none', () => {
    const rules = rulesOf(region).flatMap(({ EventPattern, Targets: [target] }) =>
      (EventPattern.detail.alarmName ?? []).map(({ prefix }) => ({ prefix, to: target.Arn })),
    );
    const queueFor = (name: string) =>
      rules.filter(({ prefix }) => name.startsWith(prefix)).map(({ to }) => queues.find(({ id }) => id === to)?.QueueName);
    const rows = alarmTable({ operations, region, tasks });
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const expected = row.severity === 1 ? 'hms-codeblue-urgent-signals' : 'hms-codeblue-signals';
      expect(queueFor(alarmNameOf({ deployment: operations.name, ...row }))).toEqual([expected]);
      expect(queueFor(watchingNameOf({ deployment: operations.name, ...row }))).toEqual([]);
      expect(queueFor(alarmNameOf({ deployment: 'other', ...row }))).toEqual([]);
    }
  });

  test('each severity of an announced signal goes to one queue', () => {
    const covered = rulesOf(region).flatMap(({ EventPattern }) => EventPattern.detail.severity ?? []);
    expect(covered.sort()).toEqual([...severities]);
  });

  test('what EventBridge cannot deliver is a dead letter of the same queue, and only its own rules may send', () => {
    for (const {
      Targets: [target],
    } of rulesOf(region)) {
      const queue = queues.find(({ id }) => id === target.Arn);
      expect(queue?.RedrivePolicy?.deadLetterTargetArn).toBe(target.DeadLetterConfig.Arn);
    }
    const Statement = z.looseObject({
      Effect: z.string(),
      Principal: z.looseObject({ Service: z.string().optional() }),
      Condition: z.unknown(),
    });
    const Policy = z.looseObject({ PolicyDocument: z.looseObject({ Statement: z.array(Statement) }) });
    const senders = properties(region, 'AWS::SQS::QueuePolicy')
      .flatMap((each) => Policy.parse(each).PolicyDocument.Statement)
      .filter(({ Effect, Principal }) => Effect === 'Allow' && Principal.Service === 'events.amazonaws.com');
    expect(senders).toHaveLength(10); // two rules, two queues, and the dead letters of each; the audit bus's rule, its queue and its dead letters
    for (const { Condition } of senders) expect(Condition).toMatchObject({ ArnEquals: { 'aws:SourceArn': expect.anything() } });
  });

  test('the endpoint has an address, and takes no more of the account than its own share', () => {
    const Worker = z.looseObject({ FunctionName: z.string().optional(), ReservedConcurrentExecutions: z.number().optional() });
    const worker = properties(region, 'AWS::Lambda::Function')
      .map((each) => Worker.parse(each))
      .find(({ FunctionName }) => FunctionName === 'hms-codeblue-signals-endpoint');
    expect(worker?.ReservedConcurrentExecutions).toBe(20);
    expect(properties(region, 'AWS::Lambda::Url').length).toBeGreaterThanOrEqual(1);
  });
});

test('cdk-nag finds nothing that is not acknowledged', () => {
  const { app } = synthesized;
  const found = [new AwsSolutionsChecks(app), new HIPAASecurityChecks(app)].flatMap((pack) =>
    pack
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
      ),
  );
  expect(found.filter((each) => /Doors|signals-endpoint|triage-/.test(each))).toEqual([]);
});

test('there are no doors while alarms go by mail', () => {
  const { template } = synthesizedApp(incidentsThat('off'));
  for (const region of everyRegion) {
    const names = resourcesOf(template(region), 'AWS::SQS::Queue').map(([, { Properties }]) => String(Properties.QueueName));
    expect(names.filter((name) => /signals/.test(name))).toEqual([]);
    expect(
      resourcesOf(template(region), 'AWS::Events::Rule').filter(([, { Properties }]) => Properties.EventBusName === undefined),
    ).toEqual([]);
  }
});
