import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { Conflict, ServiceUnavailable } from '../common/errors.ts';
import { calling } from './errors.ts';
import type { TransactionPart } from './state-items.ts';

/** Reasons for which DynamoDB cancels a transaction because somebody else writes or wrote one of its items. */
const raced = new Set(['ConditionalCheckFailed', 'TransactionConflict']);

/**
 * Writes all of it or nothing, within one Region (other Regions may see the items one by one). The SDK sends a token along: a write whose answer was lost and that
 * it repeats counts once.
 *
 * @throws Conflict when a condition does not hold or another transaction has an item in hand; ServiceUnavailable
 */
export async function writeTogether(documents: DynamoDBDocumentClient, doing: string, parts: readonly TransactionPart[]): Promise<void> {
  const command = new TransactWriteCommand({ TransactItems: [...parts] });
  await calling(doing, async () => {
    try {
      await documents.send(command);
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None').filter((code) => code !== 'None');
      const facts = { cause: error };
      if (reasons.some((reason) => raced.has(reason))) throw new Conflict(`${doing}: ${reasons.join(', ')}`, facts);
      if (reasons.includes('ValidationError')) throw error;
      throw new ServiceUnavailable(`${doing}: ${reasons.join(', ')}`, facts); // throttled, in one of its ways
    }
  });
}
