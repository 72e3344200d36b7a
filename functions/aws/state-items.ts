import { GetCommand, PutCommand, type PutCommandInput, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { DatabaseId, RecoveryPointId, VerificationId } from '../common/ids.ts';
import { timestamp } from '../common/ids.ts';
import { parseAs } from '../common/parse.ts';
import { documentsIn } from './dynamodb.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Items of the state table. Every item has `pk`, `sk`, `updatedAt` (ISO 8601, the last write), `version` (raised by each
 * write, the condition of the next) and `body`.
 *
 * | item            | pk                     | sk                           | body                         |
 * |-----------------|------------------------|------------------------------|------------------------------|
 * | recovery point  | `points#<databaseId>`  | `<recoveryPointId>`          | RecoveryPoint                |
 * | run of a task   | `runs#<task>#<key>`    | `<scheduledAt>`              | Run; goes after 90 days      |
 * | proof           | `proof#<verificationId>` | `proof`                    | SignedProof                  |
 * | proof, by time  | `proofs#<databaseId>`  | `<finishedAt>#<verificationId>` | the verification id       |
 *
 * Reads are strongly consistent within a Region. The table is a global table and replicates in about a second, last writer
 * wins: scheduled tasks write it in the active Region only, so two Regions never race for one item.
 */
export const stateKeys = {
  recoveryPoint: (databaseId: DatabaseId, id: RecoveryPointId) => ({ pk: `points#${databaseId}`, sk: id }),
  run: (task: string, key: string, scheduledAt: string) => ({ pk: `runs#${task}#${key}`, sk: scheduledAt }),
  proof: (id: VerificationId) => ({ pk: `proof#${id}`, sk: 'proof' }),
  proofByTime: (databaseId: DatabaseId, finishedAt: string, id: VerificationId) => ({
    pk: `proofs#${databaseId}`,
    sk: `${finishedAt}#${id}`,
  }),
} as const;

export interface StateKey {
  readonly pk: string;
  readonly sk: string;
}

const StoredItem = z.object({ pk: z.string(), sk: z.string(), version: z.int().positive(), body: z.unknown() });

/** One kind of item with the schema of its body: parsed on the way in and on the way out. */
export interface StateItems<T> {
  get(key: StateKey): Promise<{ readonly body: T; readonly version: number } | undefined>;
  /** `0` means that there must be none. @throws Conflict when another version is stored, InvalidInput, ServiceUnavailable */
  put(key: StateKey, body: T, storedVersion: number, options?: { readonly expiresAt?: Date }): Promise<void>;
  /** Items of one partition by sort key, a page at a time. */
  list(pk: string, order: 'ascending' | 'descending'): AsyncGenerator<T>;
}

export function stateItems<S extends z.ZodType>(
  { region, stateTable, clock }: Pick<AwsSettings, 'region' | 'stateTable' | 'clock'>,
  schema: S,
): StateItems<z.output<S>> {
  const documents = documentsIn(region);
  const nameOf = (key: StateKey) => `${key.pk}/${key.sk}`;
  const bodyOf = (item: unknown) => {
    const { pk, sk, version, body } = parseAs(StoredItem, item, 'an item of the state table');
    return { body: parseAs(schema, body, `${pk}/${sk}`), version };
  };
  return {
    async get(key) {
      const command = new GetCommand({ TableName: stateTable, Key: key, ConsistentRead: true });
      const { Item } = await calling(`read ${nameOf(key)}`, () => documents.send(command));
      return Item && bodyOf(Item);
    },
    async put(key, body, storedVersion, { expiresAt } = {}) {
      const item = {
        ...key,
        body: parseAs(schema, body, nameOf(key)),
        version: storedVersion + 1,
        updatedAt: timestamp(clock.now()),
        ...(expiresAt ? { expiresAt: Math.ceil(expiresAt.getTime() / 1000) } : {}),
      };
      const command = new PutCommand({ TableName: stateTable, Item: item, ...onlyOver(storedVersion) });
      await calling(`write ${nameOf(key)}`, () => documents.send(command));
    },
    async *list(pk, order) {
      const query = {
        TableName: stateTable,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        ConsistentRead: true,
        ScanIndexForward: order === 'ascending',
      };
      const pages = paginateQuery({ client: documents }, query)[Symbol.asyncIterator]();
      for (;;) {
        const page = await calling(`list ${pk}`, () => pages.next());
        if (page.done) return;
        for (const item of page.value.Items ?? []) yield bodyOf(item).body;
      }
    },
  };
}

function onlyOver(storedVersion: number): Partial<PutCommandInput> {
  if (storedVersion === 0) return { ConditionExpression: 'attribute_not_exists(pk)' };
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': storedVersion },
  };
}
