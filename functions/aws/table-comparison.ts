import { isDeepStrictEqual } from 'node:util';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../common/clock.ts';
import { timestamp } from '../common/ids.ts';
import { type Item, readItems } from './batch-items.ts';
import { dynamoIn } from './dynamodb.ts';
import { calling } from './errors.ts';

interface Comparison {
  readonly documents: DynamoDBDocumentClient;
  readonly clock: Clock;
  readonly region: string;
}

/**
 * Compares every item of `table` whose `updatedAt` is at or before `until` with the one under the same key in `into`. An item
 * that was written after `until` may rightly differ and is left out; one that was deleted since is not seen.
 */
export async function compareTables({ documents, clock, region }: Comparison, table: string, into: string, until: Date) {
  const keyNames = await keyNamesOf(region, table);
  const scan = {
    TableName: table,
    ConsistentRead: true,
    FilterExpression: 'updatedAt <= :until',
    ExpressionAttributeValues: { ':until': timestamp(until) },
  };
  const totals = { compared: 0, missing: 0, different: 0 };
  const pages = paginateScan({ client: documents }, scan)[Symbol.asyncIterator]();
  for (;;) {
    const page = await calling(`scan ${table}`, () => pages.next());
    if (page.done) return totals;
    const items: Item[] = page.value.Items ?? [];
    const keys = items.map((item) => Object.fromEntries(keyNames.map((name) => [name, item[name]])));
    const held = new Map((await readItems({ documents, clock }, into, keys)).map((item) => [keyText(item, keyNames), item]));
    const counterparts = items.map((item) => ({ item, restored: held.get(keyText(item, keyNames)) }));
    totals.compared += items.length;
    totals.missing += counterparts.filter(({ restored }) => !restored).length;
    totals.different += counterparts.filter(({ item, restored }) => restored && !isDeepStrictEqual(item, restored)).length;
  }
}

const keyText = (item: Item, keyNames: readonly string[]): string => JSON.stringify(keyNames.map((name) => item[name]));

async function keyNamesOf(region: string, table: string): Promise<readonly string[]> {
  const { Table } = await calling(`describe ${table}`, () => dynamoIn(region).send(new DescribeTableCommand({ TableName: table })));
  return (Table?.KeySchema ?? []).flatMap((key) => key.AttributeName ?? []);
}
