import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeGlobalClustersCommand,
  FailoverGlobalClusterCommand,
  ModifyDBInstanceCommand,
  PromoteReadReplicaCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { Route53RecoveryClusterClient } from '@aws-sdk/client-route53-recovery-cluster';
import { S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadPorts } from '../../functions/aws/ports.ts';
import { settingsFromEnvironment } from '../../functions/aws/settings.ts';
import { FailoverPolicy } from '../../functions/common/failover-policy.ts';
import { DatabaseId, type Region } from '../../functions/common/ids.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import { databaseArn } from '../../functions/common/names.ts';
import { portNames } from '../../functions/common/ports.ts';
import type { AnyStep } from '../../functions/common/task.ts';
import { askFor } from '../../functions/failover/approval/approvals.ts';
import { activate, claim, commitPromotion, type Transition } from '../../functions/failover/leadership/claim.ts';
import type { CoordinationRecord, FailoverRecord } from '../../functions/failover/models.ts';
import { runStep } from '../../functions/handlers/run-operation.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { stepLists } from '../../functions/tasks.ts';
import { at, led, planned, secondsLater } from '../failover/support.ts';
import { east, movableOperations, west } from '../support/failover-world.ts';

/**
 * Row F6, by running: every step of the failover with the adapters that are deployed, over clients that record which Region they were made for.
 * Nothing is reached: AWS is a set of doubles, and the databases refuse the connection.
 */
const routing = FailoverPolicy.shape.routing.parse({
  arc: {
    clusterEndpoints: [east, 'eu-west-1'].map((region) => ({ region, url: `https://${region}.cluster.example.org/v1` })),
    controls: {
      [east]: 'arn:aws:route53-recovery-control::111122223333:controlpanel/p/a',
      [west]: 'arn:aws:route53-recovery-control::1:b',
    },
  },
});
const base = movableOperations({ routing });
const operations = { ...base, databases: base.databases.map((database) => ({ ...database, port: 1 })) };
const plan = planned({ requestedBy: 'alice' });

const documents = mockClient(DynamoDBDocumentClient);
const rds = mockClient(RDSClient);
const secrets = mockClient(SecretsManagerClient);
const ecs = mockClient(ECSClient);
const arc = mockClient(Route53RecoveryClusterClient);
const s3 = mockClient(S3Client);
const sns = mockClient(SNSClient);
const clients = {
  ...{ dynamodb: documents, rds, secretsmanager: secrets, ecs, 'route53-recovery-cluster': arc, s3, sns },
  ...{ 'dynamodb-plain': mockClient(DynamoDBClient), autoscaling: mockClient(AutoScalingClient), kms: mockClient(KMSClient) },
  ...{ lambda: mockClient(LambdaClient), states: mockClient(SFNClient) },
};

const fetched: string[] = [];
beforeEach(() => {
  for (const client of Object.values(clients)) client.reset();
  fetched.length = 0;
  vi.stubGlobal('fetch', async (url: string) => {
    fetched.push(new URL(url).hostname);
    return new Response(null, { status: 200 });
  });
});
afterAll(() => vi.unstubAllGlobals());

const next = (transition: Transition): CoordinationRecord => {
  if (transition.kind !== 'write') throw new Error('no such transition');
  return transition.record;
};
const before = led();
const claimed = next(claim(before, plan));
const promoting = next(commitPromotion(claimed, { plan, fenced: 'by-expiry', losses: [] }));
const leads = next(activate(promoting, plan, { leaseUntil: at(60), fenced: true }, secondsLater(40)));

/** AWS as it answers while the record stands so. */
function answerAs(record: CoordinationRecord): void {
  const { version } = record;
  documents.on(GetCommand).resolves({});
  documents.on(GetCommand, { Key: { pk: 'record' } }).resolves({ Item: { pk: 'record', version, body: record } });
  documents.on(BatchGetCommand).resolves({ Responses: {} });
  documents.on(ScanCommand).resolves({ Items: [] });
  documents.on(PutCommand).resolves({});
  const cluster = databaseArn(operations, west, 'cluster', operations.databases[1]?.sites[west]?.identifier ?? '');
  const replica = { DBInstanceStatus: 'available', ReadReplicaSourceDBInstanceIdentifier: 'source', Endpoint: { Address: '127.0.0.1' } };
  rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [replica] });
  rds.on(DescribeDBClustersCommand).resolves({ DBClusters: [{ Status: 'available', ReaderEndpoint: '127.0.0.1' }] });
  const members = [{ DBClusterArn: cluster, IsWriter: false }];
  rds.on(DescribeGlobalClustersCommand).resolves({ GlobalClusters: [{ GlobalClusterIdentifier: 'g', GlobalClusterMembers: members }] });
  secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"codeblue","password":"x"}' });
  ecs.on(DescribeServicesCommand).resolves({ services: [{ status: 'ACTIVE', desiredCount: 2, runningCount: 2 }] });
}

/** Every call that a step makes from a function of that Region: `service Region`. */
async function callsOf(step: AnyStep, record: unknown, region: Region): Promise<readonly string[]> {
  const clock = manualClock(secondsLater(30));
  const settings = { ...settingsFromEnvironment({ AWS_REGION: region }, { operations, clock }), writeLine: () => {} };
  const ports = await loadPorts(portNames(step.needs), settings);
  const host = { ports, operations, region, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
  await runStep(step, record, host, secondsLater(90)).catch(() => {}); // where it ends matters less than whom it called until then
  const calls = Object.entries(clients).flatMap(([service, client]) =>
    client.calls().map(async ({ thisValue }) => `${service} ${await thisValue.config.region()}`),
  );
  return Promise.all(calls);
}

const standings = { before, claimed, promoting, leads };
const given: Partial<FailoverRecord> = {
  ...{ plan, status: 'ask', fenced: 'by-expiry', fenceWaitSeconds: 0, claimedAt: at(1), confirmedAt: at(20) },
  question: askFor({ question: 'start', plan, losses: [] }, operations.failover.approvals, secondsLater(0)),
  losses: plan.databases.map(({ databaseId }) => ({
    ...{ databaseId, provenSeconds: 0, atMostSeconds: 0, transactions: 0, lastKnownAgeSeconds: 1, budgetSeconds: 60 },
  })),
};

describe('no step of a failover calls out of its Region', () => {
  const seen = new Set<string>();
  const cases = stepLists.failover.flatMap((step) =>
    Object.entries(standings).map(([standing, record]) => ({ name: step.name, standing, step, record })),
  );

  it.each(cases)('$name while the record is "$standing"', async ({ step, record }) => {
    answerAs(record);
    const calls = await callsOf(step, given, west);
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) seen.add(call);
    expect(calls.filter((call) => !call.endsWith(` ${west}`) && !call.startsWith('route53-recovery-cluster '))).toEqual([]);
    // Routing controls have five endpoints in five Regions; the one in the Region that is left is not asked.
    expect(calls).not.toContain(`route53-recovery-cluster ${east}`);
    expect(fetched.filter((host) => !host.includes(west))).toEqual([]);
    if (fetched.length > 0) seen.add('fetch');
  });

  it('and together they called everything that a failover is made of', () => {
    const services = ['dynamodb', 'rds', 'secretsmanager', 'ecs', 's3', 'sns'].map((service) => `${service} ${west}`);
    expect([...seen].sort()).toEqual([...services, 'fetch', 'route53-recovery-cluster eu-west-1'].sort());
  });

  it('promotes in its own Region, instances and clusters alike', async () => {
    answerAs(promoting);
    const promote = stepLists.failover.find(({ name }) => name === 'promote-replica');
    if (promote) await callsOf(promote, given, west);
    const promotions = [...rds.commandCalls(PromoteReadReplicaCommand), ...rds.commandCalls(FailoverGlobalClusterCommand)];
    expect(await Promise.all(promotions.map(({ thisValue }) => thisValue.config.region()))).toEqual([west, west]);
  });

  it('an exchange renames in the Region that leads, and calls no other', async () => {
    const restoredId = 'cbv-hms-1';
    const replacement = {
      databaseId: plan.databases[0]?.databaseId ?? DatabaseId.parse('hms'),
      restoredId,
      restoredTo: at(-600),
      verdict: 'sound',
    };
    const exchange = planned({ kind: 'replace', to: east, requestedBy: 'alice', replacement });
    const asked = { ...given, plan: exchange };
    answerAs(next(commitPromotion(next(claim(before, exchange)), { plan: exchange, fenced: 'by-receipt', losses: [] })));
    const TagList = Object.entries({ owner: 'hms', database: 'hms', 'stands-in': restoredId, 'fit-since': at(0) }).map(([key, Value]) => ({
      Key: `codeblue:${key}`,
      Value,
    }));
    const live = { DBInstanceIdentifier: 'hms-primary', DBInstanceStatus: 'available' };
    const copy = { DBInstanceIdentifier: restoredId, DBInstanceStatus: 'available', DeletionProtection: true, TagList };
    rds.on(DescribeDBInstancesCommand).rejects(Object.assign(new Error('none'), { name: 'DBInstanceNotFoundFault' }));
    for (const each of [live, copy]) {
      rds.on(DescribeDBInstancesCommand, { DBInstanceIdentifier: each.DBInstanceIdentifier }).resolves({ DBInstances: [each] });
    }
    const calls = [];
    for (const step of stepLists.failover.filter(({ name }) => /^(assess-failover|promote-replica|await-promotion)$/.test(name))) {
      calls.push(...(await callsOf(step, asked, east)));
    }
    expect(calls.filter((call) => !call.endsWith(` ${east}`))).toEqual([]);
    const renamed = rds.commandCalls(ModifyDBInstanceCommand).map(({ args }) => args[0].input);
    expect(renamed[0]).toMatchObject({
      DBInstanceIdentifier: 'hms-primary',
      NewDBInstanceIdentifier: `hms-primary-damaged-${exchange.epoch}`,
    });
  });

  it('the check finds one that does: the same steps, run in the Region that is left', async () => {
    const calls = [];
    for (const { step, record } of cases) {
      answerAs(record);
      calls.push(...(await callsOf(step, given, east)));
    }
    expect(calls).toContain(`dynamodb ${east}`);
    expect(calls).toContain(`rds ${west}`);
  });
});
