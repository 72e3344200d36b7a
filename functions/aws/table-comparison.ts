import { isDeepStrictEqual } from 'node:util';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../common/clock.ts';
import { ServiceUnavailable } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import { dynamoIn } from './dynamodb.ts';
import { calling } from './errors.ts';

type Item = Record<string, unknown>;

/** DynamoDB's limit for one BatchGetItem. */
const batchSize = 100;
const mostAttempts = 8;

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
    for (let start = 0; start < items.length; start += batchSize) {
      const batch = items.slice(start, start + batchSize);
      const keys = batch.map((item) => Object.fromEntries(keyNames.map((name) => [name, item[name]])));
      const held = new Map((await readAll(documents, clock, into, keys)).map((item) => [keyText(item, keyNames), item]));
      const counterparts = batch.map((item) => ({ item, restored: held.get(keyText(item, keyNames)) }));
      totals.compared += batch.length;
      totals.missing += counterparts.filter(({ restored }) => !restored).length;
      totals.different += counterparts.filter(({ item, restored }) => restored && !isDeepStrictEqual(item, restored)).length;
    }
  }
}

const keyText = (item: Item, keyNames: readonly string[]): string => JSON.stringify(keyNames.map((name) => item[name]));

async function keyNamesOf(region: string, table: string): Promise<readonly string[]> {
  const { Table } = await calling(`describe ${table}`, () => dynamoIn(region).send(new DescribeTableCommand({ TableName: table })));
  return (Table?.KeySchema ?? []).flatMap((key) => key.AttributeName ?? []);
}

/** BatchGetItem may answer in part; the rest is asked for again, waiting 100 ms · 2^n, at most 12.7 s in all. */
async function readAll(documents: DynamoDBDocumentClient, clock: Clock, table: string, keys: readonly Item[]): Promise<readonly Item[]> {
  const found: Item[] = [];
  let open: Item[] = [...keys];
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    if (attempt > 0) await clock.sleep(100 * 2 ** (attempt - 1));
    const command = new BatchGetCommand({ RequestItems: { [table]: { Keys: open, ConsistentRead: true } } });
    const { Responses, UnprocessedKeys } = await calling(`read ${table}`, () => documents.send(command));
    found.push(...(Responses?.[table] ?? []));
    open = UnprocessedKeys?.[table]?.Keys ?? [];
    if (open.length === 0) return found;
  }
  throw new ServiceUnavailable(`${open.length} items of ${table} could not be read: it is throttled`);
}
