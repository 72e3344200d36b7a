import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { readItems } from '../../functions/aws/batch-items.ts';
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

  it('that stay undone are an error, however few', async () => {
    dynamo.on(BatchGetCommand).callsFake(({ RequestItems: { table } }) => ({ UnprocessedKeys: { table } }));
    await expect(readItems(batches, 'table', items.slice(0, 3))).rejects.toThrow(ServiceUnavailable);
  });

  it('of which there are none ask for nothing', async () => {
    expect(await readItems(batches, 'table', [])).toEqual([]);
    expect(dynamo.calls()).toEqual([]);
  });
});
