import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../common/clock.ts';
import { ServiceUnavailable } from '../common/errors.ts';
import { inParallel } from '../common/in-parallel.ts';
import { calling } from './errors.ts';

export type Item = Record<string, unknown>;

export interface ItemBatches {
  readonly documents: DynamoDBDocumentClient;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** DynamoDB's limit for one BatchGetItem. */
const readsAtATime = 100;

/** Calls under way at a time: below the 50 sockets that a client of the SDK holds. */
const callsAtATime = 16;
const mostAttempts = 8;

/** Items under these keys (none of them twice), read consistently, in no order. Keys without an item are left out. @throws ServiceUnavailable */
export async function readItems({ documents, clock }: ItemBatches, table: string, keys: readonly Item[]): Promise<readonly Item[]> {
  const found: Item[] = [];
  await inParallel(callsAtATime, inBatches(keys, readsAtATime), (batch) =>
    untilAllDone(clock, batch, `read ${table}`, async (open) => {
      const command = new BatchGetCommand({ RequestItems: { [table]: { Keys: [...open], ConsistentRead: true } } });
      const { Responses, UnprocessedKeys } = await documents.send(command);
      found.push(...(Responses?.[table] ?? []));
      return UnprocessedKeys?.[table]?.Keys ?? [];
    }),
  );
  return found;
}

/** A batch may be done in part; the rest is asked for again, waiting 100 ms · 2^n, at most 12.7 s in all. */
async function untilAllDone(
  clock: Pick<Clock, 'sleep'>,
  batch: readonly Item[],
  doing: string,
  attempt: (open: readonly Item[]) => Promise<readonly Item[]>,
): Promise<void> {
  let open = batch;
  for (let attempts = 0; attempts < mostAttempts; attempts++) {
    if (attempts > 0) await clock.sleep(100 * 2 ** (attempts - 1));
    open = await calling(doing, () => attempt(open));
    if (open.length === 0) return;
  }
  throw new ServiceUnavailable(`${doing}: ${open.length} items are left: it is throttled`);
}

/** `all` in its order, `size` at a time. */
export function* inBatches<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
