import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { readItems, writeItems } from '../../functions/aws/batch-items.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { manualClock } from '../../functions/memory/clock.ts';

const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
const dynamo = mockClient(documents);
const items = Array.from({ length: 260 }, (_, number) => ({ pk: `item-${number}` }));

describe('items in batches', () => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  const batches = { documents, clock };
  beforeEach(() => void dynamo.reset());

  it('are read a hundred at a time, and what was left undone is asked for again', async () => {
    const sizes: number[] = [];
    dynamo.on(BatchGetCommand).callsFake(({ RequestItems }) => {
      const { Keys, ConsistentRead } = RequestItems.table;
      expect(ConsistentRead).toBe(true);
      sizes.push(Keys.length);
      return { Responses: { table: Keys.slice(0, 60) }, UnprocessedKeys: Keys.length > 60 ? { table: { Keys: Keys.slice(60) } } : {} };
    });
    const read = await readItems(batches, 'table', items);
    expect(new Set(read.map(({ pk }) => pk)).size).toBe(260);
    expect(read).toHaveLength(260);
    expect(Math.max(...sizes)).toBe(100);
  });

  it('are written 25 at a time, each once, and what was left undone again', async () => {
    const written: unknown[] = [];
    dynamo.on(BatchWriteCommand).callsFake(({ RequestItems: { table } }) => {
      expect(table.length).toBeLessThanOrEqual(25);
      written.push(...table.slice(0, 20).map(({ PutRequest }: { PutRequest: { Item: { pk: string } } }) => PutRequest.Item.pk));
      return { UnprocessedItems: table.length > 20 ? { table: table.slice(20) } : {} };
    });
    await writeItems(batches, 'table', items);
    expect(written.toSorted()).toEqual(items.map(({ pk }) => pk).sort());
  });

  it('that stay undone are an error, however few', async () => {
    dynamo.on(BatchWriteCommand).callsFake(({ RequestItems: { table } }) => ({ UnprocessedItems: { table: table.slice(-1) } }));
    await expect(writeItems(batches, 'table', items.slice(0, 3))).rejects.toThrow(ServiceUnavailable);
    dynamo.on(BatchGetCommand).callsFake(({ RequestItems: { table } }) => ({ UnprocessedKeys: { table } }));
    await expect(readItems(batches, 'table', items.slice(0, 3))).rejects.toThrow(ServiceUnavailable);
  });

  it('of which there are none ask for nothing', async () => {
    await writeItems(batches, 'table', []);
    expect(await readItems(batches, 'table', [])).toEqual([]);
    expect(dynamo.calls()).toEqual([]);
  });
});
