import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { EventId } from '../../audit/events/event.ts';
import type { AuditQueue, Place } from '../../audit/ports.ts';
import { Conflict, NotFound } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { inParallel } from '../../common/in-parallel.ts';
import { auditLogTableIndexes, auditLogTableName } from '../../common/names.ts';
import { parseAs } from '../../common/parse.ts';
import { inBatches, readItems } from '../batch-items.ts';
import { documentsIn } from '../dynamodb.ts';
import { calling } from '../errors.ts';
import type { AwsSettings } from '../settings.ts';
import { writeTogether } from '../transactions.ts';
import { logKeys, queuedEvent, settlement, waitingShards } from './queue-items.ts';

const Line = z.object({ pk: z.templateLiteral(['event#', z.string()]) });

/** Of one TransactWriteItems. */
const updatesAtATime = 100;
const transactionsAtATime = 16;
const mostAttempts = 6;

/**
 * The queue of this Region's sequencer. What waits is found by a sparse index, which follows the table within a moment; so each one found is read consistently before it is
 * told, and none that has its place is. A batch of 2 048 is read by 21 calls, and settled by 21 transactions: those cost twice what a BatchWriteItem does, which would take the
 * right to delete and to write leaves anew.
 */
export function auditQueuePort(settings: Pick<AwsSettings, 'region' | 'operations' | 'clock'>): AuditQueue {
  const { region, operations, clock } = settings;
  const documents = documentsIn(region);
  const table = auditLogTableName(operations);
  const events = async (eventIds: readonly EventId[]) =>
    (await readItems({ documents, clock }, table, [...new Set(eventIds)].map(logKeys.event))).map(queuedEvent);

  async function waitingIn(shard: string, limit: number): Promise<readonly EventId[]> {
    const { name, partition } = auditLogTableIndexes.waiting;
    const command = new QueryCommand({
      TableName: table,
      IndexName: name,
      KeyConditionExpression: '#shard = :shard',
      ExpressionAttributeNames: { '#shard': partition },
      ExpressionAttributeValues: { ':shard': shard },
      Limit: limit,
    });
    const { Items = [] } = await calling('read the queue of the log', () => documents.send(command));
    return Items.map((item) => EventId.parse(parseAs(Line, item, 'a line of the queue').pk.slice('event#'.length)));
  }

  /** All of these or none; somebody who settles the same at the same time holds them for some milliseconds. */
  async function settleTogether(places: readonly (readonly [EventId, Place])[]): Promise<void> {
    const updatedAt = timestamp(clock.now());
    const parts = places.map(([eventId, place]) => ({ Update: { TableName: table, ...settlement(eventId, place, updatedAt) } }));
    for (let attempt = 1; ; attempt++) {
      try {
        return await writeTogether(documents, 'settle events', parts);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const known = new Set((await events(places.map(([eventId]) => eventId))).map(({ eventId }) => eventId));
        const unknown = places.find(([eventId]) => !known.has(eventId));
        if (unknown) throw new NotFound(`event ${unknown[0]} was never recorded in ${region}`, { cause: error });
        if (attempt === mostAttempts) throw error;
        await clock.sleep(25 * 2 ** attempt);
      }
    }
  }

  return {
    async pending(limit) {
      // Twice the share of each: ids fall into the shards by their hash, and whoever is left out now is asked for again in half a second.
      const share = Math.min(limit, Math.ceil((2 * limit) / waitingShards.length) + 8);
      const found = await Promise.all(waitingShards.map((shard) => waitingIn(shard, share)));
      return (await events(found.flat()))
        .flatMap(({ eventId, recordedAt, leaf, index }) => (index === undefined ? [{ eventId, recordedAt, leaf }] : []))
        .sort((a, b) => ascending(a.recordedAt, b.recordedAt) || ascending(a.eventId, b.eventId))
        .slice(0, limit);
    },
    async leaves(eventIds) {
      const leaves = new Map((await events(eventIds)).map(({ eventId, leaf }) => [eventId, leaf]));
      assertAll(eventIds, leaves);
      return leaves;
    },
    async settle(places) {
      await inParallel(transactionsAtATime, inBatches([...places], updatesAtATime), settleTogether);
    },
    async place(eventId) {
      const command = new GetCommand({ TableName: table, Key: logKeys.event(eventId), ConsistentRead: true });
      const { Item } = await calling(`read the place of event ${eventId}`, () => documents.send(command));
      const { generation, index } = Item ? queuedEvent(Item) : {};
      return generation === undefined || index === undefined ? undefined : { generation, index };
    },
    async places(eventIds) {
      return new Map(
        (await events(eventIds)).flatMap(({ eventId, generation, index }) =>
          generation === undefined || index === undefined ? [] : [[eventId, { generation, index }] as const],
        ),
      );
    },
  };

  function assertAll(eventIds: Iterable<EventId>, known: ReadonlyMap<EventId, unknown>): void {
    for (const eventId of eventIds) if (!known.has(eventId)) throw new NotFound(`event ${eventId} was never recorded in ${region}`);
  }
}

const ascending = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
