import { isDeepStrictEqual } from 'node:util';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Batch, LogHead } from '../../audit/log/models.ts';
import type { AuditHead } from '../../audit/ports.ts';
import { Conflict } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { auditLogTableName } from '../../common/names.ts';
import { parseAs } from '../../common/parse.ts';
import { documentsIn } from '../dynamodb.ts';
import { calling } from '../errors.ts';
import type { AwsSettings } from '../settings.ts';
import { logKeys } from './queue-items.ts';

/** The end of this Region's log: one item of a table that is in this Region alone, read consistently, written over the version that was seen. */
export function auditHeadPort({ region, operations, clock }: Pick<AwsSettings, 'region' | 'operations' | 'clock'>): AuditHead {
  const documents = documentsIn(region);
  const TableName = auditLogTableName(operations);
  const bodyUnder = async (Key: Record<string, string>, doing: string): Promise<unknown> => {
    const { Item } = await calling(doing, () => documents.send(new GetCommand({ TableName, Key, ConsistentRead: true })));
    return Item?.body;
  };
  const read = async (): Promise<LogHead | undefined> => {
    const body = await bodyUnder(logKeys.head, 'read the head of the log');
    return body === undefined ? undefined : parseAs(LogHead, body, 'the head of the log');
  };
  const batch = async (batchId: string): Promise<Batch | undefined> => {
    const body = await bodyUnder(logKeys.batch(batchId), `read batch ${batchId}`);
    return body === undefined ? undefined : parseAs(Batch, body, `batch ${batchId}`);
  };
  return {
    read,
    async write(given) {
      const next = parseAs(LogHead, given, 'the head of the log');
      const command = new PutCommand({
        TableName,
        Item: { ...logKeys.head, version: next.version, body: next, updatedAt: timestamp(clock.now()) },
        ...(next.version === 1
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: '#version = :seen',
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':seen': next.version - 1 },
            }),
      });
      try {
        await calling('write the head of the log', () => documents.send(command));
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        // The SDK repeats a write whose answer was lost, and the repetition is refused: what stands tells. Another who wrote the very same goes on with the very same.
        return isDeepStrictEqual(await read(), next);
      }
    },
    async putBatch(given) {
      const next = parseAs(Batch, given, `batch ${given.batchId}`);
      const Item = { ...logKeys.batch(next.batchId), body: next, updatedAt: timestamp(clock.now()) };
      const command = new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' });
      try {
        await calling(`store batch ${next.batchId}`, () => documents.send(command));
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        if (!isDeepStrictEqual(await batch(next.batchId), next))
          throw new Conflict(`another batch is stored as ${next.batchId}`, { cause: error });
      }
    },
    batch,
  };
}
