import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { after, hours } from '../common/duration.ts';
import { Conflict } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import type { Allowances } from '../incidents/ports.ts';
import { documentsIn } from './dynamodb.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';
import { stateKeys } from './state-items.ts';

/** Counters in the state table, by conditional addition: two that take the last ones do not both get them. */
export function allowancesPort({ region, stateTable, clock }: Pick<AwsSettings, 'region' | 'stateTable' | 'clock'>): Allowances {
  const documents = documentsIn(region);
  return {
    async take(name, minute, count, limit) {
      if (count > limit) return false;
      const command = new UpdateCommand({
        TableName: stateTable,
        Key: stateKeys.allowance(region, name, timestamp(minute)),
        UpdateExpression: 'ADD used :count, #version :one SET updatedAt = :now, expiresAt = :end',
        ConditionExpression: 'attribute_not_exists(used) OR used <= :most',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: {
          ...{ ':count': count, ':one': 1, ':most': limit - count },
          ...{ ':now': timestamp(clock.now()), ':end': Math.ceil(after(minute, hours(1)).getTime() / 1000) },
        },
      });
      try {
        await calling(`take ${count} of the allowance of ${name}`, () => documents.send(command));
        return true;
      } catch (error) {
        if (error instanceof Conflict) return false;
        throw error;
      }
    },
  };
}
