import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { coordinationPort } from '../../functions/aws/coordination.ts';
import { Conflict, ServiceUnavailable } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import type { CoordinationRecord } from '../../functions/failover/models.ts';
import { led, operations, primary, standby, tertiary } from '../failover/support.ts';

const documents = mockClient(DynamoDBDocumentClient);
const sdkError = (name: string, httpStatusCode = 400) => Object.assign(new Error('said AWS'), { name, $metadata: { httpStatusCode } });
const lost = () => sdkError('ConditionalCheckFailedException');
const from = (region: Region) => coordinationPort({ region, operations });
const stored = (record: CoordinationRecord, writtenBy: string) => ({
  Item: { pk: 'record', body: record, version: record.version, writtenBy },
});

/** Regions whose replica was asked, in order. */
async function asked(): Promise<readonly string[]> {
  return Promise.all(documents.calls().map(async ({ thisValue }) => String(await thisValue.config.region())));
}

describe('a write whose answer was lost', () => {
  beforeEach(() => documents.reset());

  it('meets its own result when the SDK repeats it, and is a success', async () => {
    documents.on(PutCommand).callsFake((input) => {
      documents.on(GetCommand).resolves(stored(input.Item.body, input.Item.writtenBy));
      throw lost();
    });
    const next = await from(primary).replace(led());
    expect(next).toEqual({ ...led(), version: led().version + 1 });
  });

  it("is a conflict when it meets somebody else's, word for word the same", async () => {
    documents.on(PutCommand).callsFake((input) => {
      documents.on(GetCommand).resolves(stored(input.Item.body, 'somebody-else'));
      throw lost();
    });
    await expect(from(primary).replace(led())).rejects.toThrow(Conflict);
  });

  it('is a conflict when the other Region wrote at the same time', async () => {
    documents.on(PutCommand).rejects(sdkError('ReplicatedWriteConflictException'));
    documents.on(GetCommand).resolves(stored({ ...led(), version: led().version + 1 }, 'somebody-else'));
    await expect(from(primary).replace(led())).rejects.toThrow(Conflict);
  });

  it('leaves open whether it happened when the table cannot be asked', async () => {
    documents.on(PutCommand).rejects(lost());
    documents.on(GetCommand).rejects(sdkError('InternalServerError', 500));
    await expect(from(primary).replace(led())).rejects.toThrow(ServiceUnavailable);
  });

  it('carries an id of its own each time', async () => {
    documents.on(PutCommand).resolves({});
    await from(primary).replace(led());
    await from(primary).replace(led());
    const ids = documents.commandCalls(PutCommand).map(({ args }) => args[0].input.Item?.writtenBy);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('the replica that is asked', () => {
  beforeEach(() => documents.reset());

  it.each([primary, standby])('is the own one in %s, and no other when that does not answer', async (region) => {
    documents.on(GetCommand).rejects(sdkError('TimeoutError'));
    await expect(from(region).read()).rejects.toThrow(ServiceUnavailable);
    expect(new Set(await asked())).toEqual(new Set([region]));
  });

  it("is the standby's from the tertiary, and the primary's when that does not answer", async () => {
    documents.on(GetCommand).rejectsOnce(sdkError('TimeoutError')).resolves(stored(led(), 'x'));
    expect(await from(tertiary).read()).toEqual(led());
    expect(await asked()).toEqual([standby, primary]);
  });

  it('is the one that answered last, so that a dead one costs its time once', async () => {
    documents.on(GetCommand).rejectsOnce(sdkError('TimeoutError')).resolves(stored(led(), 'x'));
    const coordination = from(tertiary);
    await coordination.read();
    await coordination.read();
    expect(await asked()).toEqual([standby, primary, primary]);
  });

  it('is not another one when the answer is no', async () => {
    documents.on(GetCommand).rejects(sdkError('AccessDeniedException'));
    await expect(from(tertiary).read()).rejects.toThrow(/AccessDenied/);
    expect(await asked()).toEqual([standby]);
  });
});

it('reads are consistent, except the glance that tells whether a task should run', async () => {
  documents.reset();
  documents.on(GetCommand).resolves(stored(led(), 'x'));
  await from(primary).read();
  await from(primary).peek();
  expect(documents.commandCalls(GetCommand).map(({ args }) => args[0].input.ConsistentRead)).toEqual([true, false]);
});

it('a hanging endpoint is given up after a second and a half, twice', async () => {
  documents.reset();
  documents.on(GetCommand).resolves(stored(led(), 'x'));
  await from(primary).read();
  const client = documents.call(0).thisValue;
  expect(await client.config.maxAttempts()).toBe(2);
  const { requestTimeout, connectionTimeout } = await configOf(client.config.requestHandler);
  expect([requestTimeout, connectionTimeout]).toEqual([1500, 1000]);
});

/** The handler knows its settings once it was asked for them. */
async function configOf(handler: { httpHandlerConfigs?(): unknown; configProvider?: Promise<unknown> }): Promise<Record<string, unknown>> {
  const given = (await handler.configProvider) ?? handler.httpHandlerConfigs?.();
  return typeof given === 'object' && given !== null ? { ...given } : {};
}
