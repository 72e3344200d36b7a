import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { itemOf } from '../../functions/aws/audit/event-items.ts';
import { auditEventsPort } from '../../functions/aws/audit/events.ts';
import { auditQueuePort } from '../../functions/aws/audit/queue.ts';
import { queuedEntry } from '../../functions/aws/audit/queue-items.ts';
import { documentsIn } from '../../functions/aws/dynamodb.ts';
import { NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import { auditLogTableName } from '../../functions/common/names.ts';
import { anEvent, eventIdOf } from '../support/audit-events.ts';
import { awsSettings } from '../support/aws-settings.ts';

const dynamo = mockClient(documentsIn('us-east-1'));
const settings = () => awsSettings();
const now = new Date('2026-11-21T07:00:00Z');
const table = auditLogTableName(settings().operations);
const waiting = (number: number) => queuedEntry(settings(), anEvent(number), now).Item;
const cancelled = (...codes: readonly string[]) =>
  new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: codes.map((Code) => ({ Code })) });

/** What moto cannot show: its indexes never lag, and its transactions never meet. */
describe('races of the audit log in DynamoDB', () => {
  beforeEach(() => void dynamo.reset());

  it('an index that lags shows an event that has its place: nobody is told that it waits', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [] });
    dynamo.on(QueryCommand, { ExpressionAttributeValues: { ':shard': '3' } }).resolves({ Items: [1, 2].map(waiting) });
    dynamo.on(BatchGetCommand).resolves({ Responses: { [table]: [waiting(1), { ...waiting(2), generation: 1, index: 7 }] } });
    expect((await auditQueuePort(settings()).pending(10)).map(({ eventId }) => eventId)).toEqual([eventIdOf(1)]);
    expect(dynamo.commandCalls(BatchGetCommand)[0]?.args[0].input.RequestItems?.[table]?.ConsistentRead).toBe(true);
  });

  it('two that settle the same batch at once: who comes upon the other tries again', async () => {
    dynamo.on(TransactWriteCommand).rejectsOnce(cancelled('None', 'TransactionConflict')).resolves({});
    dynamo.on(BatchGetCommand).resolves({ Responses: { [table]: [1, 2].map(waiting) } });
    await auditQueuePort(settings()).settle(new Map([1, 2].map((number) => [eventIdOf(number), { generation: 1, index: number }])));
    expect(dynamo.commandCalls(TransactWriteCommand)).toHaveLength(2);
  });

  it('settling what was never recorded is refused at once', async () => {
    dynamo.on(TransactWriteCommand).rejects(cancelled('None', 'ConditionalCheckFailed'));
    dynamo.on(BatchGetCommand).resolves({ Responses: { [table]: [waiting(1)] } });
    const places = new Map([1, 2].map((number) => [eventIdOf(number), { generation: 1, index: number }]));
    await expect(auditQueuePort(settings()).settle(places)).rejects.toThrow(NotFound);
    expect(dynamo.commandCalls(TransactWriteCommand)).toHaveLength(1);
  });

  it('an event that another transaction has in hand is recorded once that one has failed', async () => {
    dynamo.on(TransactWriteCommand).rejectsOnce(cancelled('TransactionConflict', 'None')).resolves({});
    dynamo.on(GetCommand).resolves({});
    expect(await auditEventsPort(settings()).record(anEvent(1))).toBe('recorded');
  });

  it('an event that another transaction made durable meanwhile is there already', async () => {
    dynamo.on(TransactWriteCommand).rejects(cancelled('TransactionConflict', 'None'));
    dynamo
      .on(GetCommand)
      .resolvesOnce({})
      .resolves({ Item: itemOf(anEvent(1), now) });
    expect(await auditEventsPort(settings()).record(anEvent(1))).toBe('already');
    expect(dynamo.commandCalls(GetCommand).every(({ args }) => args[0].input.ConsistentRead)).toBe(true);
  });

  it('an event of which nothing becomes known is never told to be recorded', async () => {
    dynamo.on(TransactWriteCommand).rejects(cancelled('TransactionConflict', 'None'));
    dynamo.on(GetCommand).resolves({});
    await expect(auditEventsPort(settings()).record(anEvent(1))).rejects.toThrow(ServiceUnavailable);
  });
});
