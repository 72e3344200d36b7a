import { HeadObjectCommand, ListObjectVersionsCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { auditEventsPort } from '../../functions/aws/audit/events.ts';
import { auditHeadPort } from '../../functions/aws/audit/head.ts';
import { auditObjectsPort } from '../../functions/aws/audit/objects.ts';
import { auditQueuePort } from '../../functions/aws/audit/queue.ts';
import { auditWatchMemoryPort } from '../../functions/aws/audit/watch-memory.ts';
import { documentsIn, dynamoIn } from '../../functions/aws/dynamodb.ts';
import { s3In } from '../../functions/aws/s3-objects.ts';
import type { AwsSettings } from '../../functions/aws/settings.ts';
import type { Region } from '../../functions/common/ids.ts';
import { auditBucketName } from '../../functions/common/names.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { auditEventsContract } from '../contracts/audit-events.contract.ts';
import { auditHeadContract } from '../contracts/audit-head.contract.ts';
import { auditObjectsContract } from '../contracts/audit-objects.contract.ts';
import { auditQueueContract } from '../contracts/audit-queue.contract.ts';
import { auditWatchMemoryContract } from '../contracts/audit-watch-memory.contract.ts';
import { anEvent, eventIdOf } from '../support/audit-events.ts';
import { elsewhere, home } from '../support/incidents.ts';
import {
  createAuditLogTable,
  createBuckets,
  createKeys,
  createTables,
  motoOperations,
  motoSettings,
  oneCallAtATime,
  resetMoto,
} from '../support/moto.ts';

/** What the other Region calls its own tables: moto replicates nothing, so both Regions are asked for in one, where the tables of each Region need names of their own. */
const elsewhereOperations = { ...motoOperations, name: 'elsewhere' };

async function fresh(): Promise<(region: Region) => AwsSettings> {
  await resetMoto();
  await Promise.all([createTables(), createAuditLogTable(elsewhereOperations)]);
  const settings = motoSettings(manualClock('2026-11-21T07:00:00Z'));
  dynamoIn(elsewhere).config.region = async () => home;
  for (const region of [home, elsewhere]) oneCallAtATime(region);
  return (region) => ({ ...settings, region, operations: region === home ? settings.operations : elsewhereOperations });
}

auditEventsContract(async () => {
  const settingsOf = await fresh();
  return { in: (region) => auditEventsPort(settingsOf(region)), auditQueue: auditQueuePort(settingsOf(home)) };
});
auditQueueContract(async () => {
  const settings = (await fresh())(home);
  return { auditEvents: auditEventsPort(settings), auditQueue: auditQueuePort(settings) };
});
auditHeadContract(async () => {
  const settings = (await fresh())(home);
  return [auditHeadPort(settings), auditHeadPort(settings)];
});
auditWatchMemoryContract(async () => auditWatchMemoryPort((await fresh())(home)));

/** moto answers GetObjectRetention with something that is no XML: its HeadObject knows the same. */
function retentionFromHead(): void {
  s3In(home).middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'GetObjectRetentionCommand') return next(args);
        const { ObjectLockRetainUntilDate: RetainUntilDate } = await s3In(home).send(
          new HeadObjectCommand({ Bucket: '', Key: '', ...args.input }),
        );
        return { output: { $metadata: {}, Retention: { RetainUntilDate } }, response: undefined };
      },
    { step: 'initialize', name: 'retentionFromHead', override: true },
  );
}

auditObjectsContract(async () => {
  await resetMoto();
  retentionFromHead();
  await Promise.all([createKeys(), createBuckets()]);
  const settings = motoSettings(manualClock('2026-11-21T07:00:00Z'));
  const bucket = { Bucket: auditBucketName(motoOperations, home) };
  return {
    in: (region) => auditObjectsPort({ ...settings, region }),
    // moto goes by the machine's time, and lets anybody shorten a lock, which S3 never would: here this stands for two days that pass.
    async twoDaysLater(path) {
      const { Versions = [] } = await s3In(home).send(new ListObjectVersionsCommand({ ...bucket, Prefix: path }));
      for (const { Key, VersionId } of Versions.filter(({ Key: key }) => key === path)) {
        const Retention = { Mode: 'COMPLIANCE' as const, RetainUntilDate: new Date('2020-01-01T00:00:00Z') };
        await s3In(home).send(new PutObjectRetentionCommand({ ...bucket, Key, VersionId, Retention, BypassGovernanceRetention: true }));
      }
    },
  };
});

it('an event whose body somebody made unreadable hides no other, and is told by its time', async () => {
  const settings = (await fresh())(home);
  const events = auditEventsPort(settings);
  for (const number of [1, 2, 3]) await events.record(anEvent(number, { at: `2026-11-21T07:00:0${number}Z` }));
  await documentsIn(home).send(
    new UpdateCommand({
      TableName: settings.auditTable,
      Key: { eventKey: `${home}/${eventIdOf(2)}` },
      UpdateExpression: 'SET #body = :body',
      ExpressionAttributeNames: { '#body': 'body' },
      ExpressionAttributeValues: { ':body': 'no JSON' },
    }),
  );
  const found = async (filter: object) => {
    const all = { from: new Date('2026-11-21T00:00:00Z'), until: new Date('2026-11-22T00:00:00Z') };
    return (await events.query({ ...all, ...filter }, { limit: 9 })).events.map(({ eventId }) => eventId);
  };
  expect(await found({})).toEqual([3, 2, 1].map(eventIdOf));
  expect(await found({ userId: 'nurse-17' })).toEqual([3, 1].map(eventIdOf));
});

it('an event whose answer was lost, and that the SDK tells again, is recorded once', async () => {
  const settings = (await fresh())(home);
  let lost = 0;
  dynamoIn(home).middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        // Below the SDK's own retries: the write has been made, and its answer does not come through.
        if (commandName !== 'TransactWriteItemsCommand' || lost++ > 0) return answer;
        throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError', $retryable: {} });
      },
    { step: 'deserialize', name: 'lostAnswer', priority: 'low', override: true },
  );
  try {
    // moto knows no token that makes a repetition count once (DynamoDB does, for ten minutes): it refuses the repetition, and what stands tells.
    expect(await auditEventsPort(settings).record(anEvent(1))).toBe('already');
  } finally {
    dynamoIn(home).middlewareStack.remove('lostAnswer');
  }
  expect(lost).toBeGreaterThan(1);
  expect(await auditQueuePort(settings).pending(10)).toHaveLength(1);
});
