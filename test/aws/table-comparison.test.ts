import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { documentsIn } from '../../functions/aws/dynamodb.ts';
import { compareTables } from '../../functions/aws/table-comparison.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { manualClock } from '../../functions/memory/clock.ts';

const tables = mockClient(DynamoDBClient);
const documents = mockClient(DynamoDBDocumentClient);
const until = new Date('2026-11-21T07:00:00Z');
const item = (index: number) => ({ pk: 'points#hms', sk: `point-${index}`, version: 1, body: { index } });
const keysIn = (input: { RequestItems?: Record<string, { Keys?: Record<string, unknown>[] }> }) => input.RequestItems?.restored?.Keys ?? [];

/** Partial answers, which moto never gives. */
describe('comparing a restored table', () => {
  const compare = (from?: string) =>
    compareTables(
      { documents: documentsIn('us-east-1'), clock: manualClock('2026-11-21T08:00:00Z'), region: 'us-east-1' },
      'live',
      'restored',
      until,
      from,
    );
  beforeEach(() => {
    tables.reset();
    documents.reset();
    const KeySchema = [
      { AttributeName: 'pk', KeyType: 'HASH' as const },
      { AttributeName: 'sk', KeyType: 'RANGE' as const },
    ];
    tables.on(DescribeTableCommand).resolves({ Table: { KeySchema } });
  });

  it('reads the live table page by page, and asks in batches of a hundred', async () => {
    const all = Array.from({ length: 250 }, (_, index) => item(index));
    documents.on(ScanCommand).resolves({ Items: all.slice(0, 150), LastEvaluatedKey: { pk: 'points#hms', sk: 'point-149' } });
    documents.on(ScanCommand, { ExclusiveStartKey: { pk: 'points#hms', sk: 'point-149' } }).resolves({ Items: all.slice(150) });
    documents
      .on(BatchGetCommand)
      .callsFake((input) => ({ Responses: { restored: keysIn(input).map((key) => all.find((each) => each.sk === key.sk)) } }));
    const { next, ...first } = await compare();
    expect(first).toEqual({ compared: 150, missing: 0, different: 0 });
    expect(await compare(next)).toEqual({ compared: 100, missing: 0, different: 0 });
    expect(documents.commandCalls(BatchGetCommand).map((call) => keysIn(call.args[0].input).length)).toEqual([100, 50, 100]);
  });

  it('goes on from nothing that is no key', async () => {
    for (const from of ['', '[]', '{"pk":1}']) await expect(compare(from)).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it('asks again for the keys that were not answered', async () => {
    documents.on(ScanCommand).resolves({ Items: [item(1), item(2)] });
    const rest = { restored: { Keys: [{ pk: 'points#hms', sk: 'point-2' }] } };
    documents
      .on(BatchGetCommand)
      .resolvesOnce({ Responses: { restored: [item(1)] }, UnprocessedKeys: rest })
      .resolves({ Responses: { restored: [{ ...item(2), body: { index: 3 } }] } });
    expect(await compare()).toEqual({ compared: 2, missing: 0, different: 1 });
    expect(keysIn(documents.commandCalls(BatchGetCommand)[1]?.args[0].input ?? {})).toEqual(rest.restored.Keys);
  });

  it('never takes "not answered" for "missing"', async () => {
    documents.on(ScanCommand).resolves({ Items: [item(1)] });
    documents.on(BatchGetCommand).resolves({ UnprocessedKeys: { restored: { Keys: [{ pk: 'points#hms', sk: 'point-1' }] } } });
    await expect(compare()).rejects.toThrow(ServiceUnavailable);
  });
});
