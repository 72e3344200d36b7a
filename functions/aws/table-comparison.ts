import { isDeepStrictEqual } from 'node:util';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { ComparedStretch } from '../backup/ports.ts';
import type { Clock } from '../common/clock.ts';
import { timestamp } from '../common/ids.ts';
import { parseJsonAs } from '../common/parse.ts';
import { type Item, readItems } from './batch-items.ts';
import { dynamoIn } from './dynamodb.ts';
import { calling } from './errors.ts';

interface Comparison {
  readonly documents: DynamoDBDocumentClient;
  readonly clock: Clock;
  readonly region: string;
  /** Items that are read at a time, at most; DynamoDB reads 1 MB when it is left out. */
  readonly itemsAtATime?: number | undefined;
}

/** All keys of our tables are text. */
const Key = z.record(z.string(), z.string());

/**
 * Compares a page of `table`, of its items those whose `updatedAt` is at or before `until`, with the ones under the same keys in `into`. An item
 * that was written after `until` may rightly differ and is left out; one that was deleted since is not seen.
 *
 * @param from the `next` of the page before
 */
export async function compareTables(
  { documents, clock, region, itemsAtATime }: Comparison,
  table: string,
  into: string,
  until: Date,
  from?: string,
): Promise<ComparedStretch> {
  const keyNames = await keyNamesOf(region, table);
  const scan = new ScanCommand({
    TableName: table,
    ConsistentRead: true,
    FilterExpression: 'updatedAt <= :until',
    ExpressionAttributeValues: { ':until': timestamp(until) },
    ...(itemsAtATime === undefined ? {} : { Limit: itemsAtATime }),
    ...(from === undefined ? {} : { ExclusiveStartKey: parseJsonAs(Key, from, `where the comparison of ${table} goes on`) }),
  });
  const page = await calling(`scan ${table}`, () => documents.send(scan));
  const items: Item[] = page.Items ?? [];
  const keys = items.map((item) => Object.fromEntries(keyNames.map((name) => [name, item[name]])));
  const held = new Map((await readItems({ documents, clock }, into, keys)).map((item) => [keyText(item, keyNames), item]));
  const counterparts = items.map((item) => ({ item, restored: held.get(keyText(item, keyNames)) }));
  return {
    compared: items.length,
    missing: counterparts.filter(({ restored }) => !restored).length,
    different: counterparts.filter(({ item, restored }) => restored && !isDeepStrictEqual(item, restored)).length,
    ...(page.LastEvaluatedKey ? { next: JSON.stringify(Key.parse(page.LastEvaluatedKey)) } : {}),
  };
}

const keyText = (item: Item, keyNames: readonly string[]): string => JSON.stringify(keyNames.map((name) => item[name]));

async function keyNamesOf(region: string, table: string): Promise<readonly string[]> {
  const { Table } = await calling(`describe ${table}`, () => dynamoIn(region).send(new DescribeTableCommand({ TableName: table })));
  return (Table?.KeySchema ?? []).flatMap((key) => key.AttributeName ?? []);
}
