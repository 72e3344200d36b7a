import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EventId } from '../../audit/events/event.ts';
import type { PendingEntry, Place } from '../../audit/ports.ts';
import { Timestamp, timestamp } from '../../common/ids.ts';
import { auditLogTableIndexes, auditLogTableKeys, auditLogTableName } from '../../common/names.ts';
import { parseAs } from '../../common/parse.ts';
import type { Item } from '../batch-items.ts';
import type { AwsSettings } from '../settings.ts';

/**
 * Items of the table of one Region's log, `updatedAt` (ISO 8601, the last write) in each.
 *
 * | item     | pk                | attributes                                                                       |
 * |----------|-------------------|----------------------------------------------------------------------------------|
 * | head     | `head`            | `version`, `body`: LogHead                                                       |
 * | batch    | `batch#<batchId>` | `body`: Batch                                                                    |
 * | event    | `event#<eventId>` | `leaf`, `recordedAt`; `waitingShard` and `recordedAtAndId` while it waits, `generation` and `index` after |
 */
export const logKeys = {
  head: { [auditLogTableKeys.partition]: 'head' },
  batch: (batchId: string) => ({ [auditLogTableKeys.partition]: `batch#${batchId}` }),
  event: (eventId: EventId) => ({ [auditLogTableKeys.partition]: `event#${eventId}` }),
} as const;

/**
 * Parts of the index of those that wait: an event comes into it and goes out of it, two writes, and one partition of an index takes 1 000 a second.
 */
const waitingShardCount = 16;
export const waitingShards: readonly string[] = Array.from({ length: waitingShardCount }, (_, shard) => shard.toString(16));

const shardOf = (eventId: EventId): string =>
  waitingShards[(createHash('sha256').update(eventId).digest()[0] ?? 0) % waitingShardCount] ?? '0';

/** An event's entry in the queue, as a put. */
export function queuedEntry({ operations }: Pick<AwsSettings, 'operations'>, { eventId, recordedAt, leaf }: PendingEntry, now: Date) {
  const { waiting } = auditLogTableIndexes;
  const Item = {
    ...logKeys.event(eventId),
    ...{ leaf, recordedAt, updatedAt: timestamp(now) },
    ...{ [waiting.partition]: shardOf(eventId), [waiting.sort]: `${recordedAt}#${eventId}` },
  };
  return { TableName: auditLogTableName(operations), Item };
}

/** What notes an event's place and takes it out of the queue, as an update: it touches no leaf, and makes no event. */
export function settlement(eventId: EventId, { generation, index }: Place, updatedAt: Timestamp) {
  const { waiting } = auditLogTableIndexes;
  return {
    Key: logKeys.event(eventId),
    ConditionExpression: 'attribute_exists(#pk)',
    UpdateExpression: 'SET #generation = :generation, #index = :index, #updatedAt = :updatedAt REMOVE #shard, #order',
    ExpressionAttributeNames: {
      ...{ '#pk': auditLogTableKeys.partition, '#shard': waiting.partition, '#order': waiting.sort },
      ...{ '#generation': 'generation', '#index': 'index', '#updatedAt': 'updatedAt' },
    },
    ExpressionAttributeValues: { ':generation': generation, ':index': index, ':updatedAt': updatedAt },
  };
}

const QueueItem = z.object({
  [auditLogTableKeys.partition]: z.templateLiteral(['event#', z.string()]),
  leaf: z.string().min(1),
  recordedAt: Timestamp,
  generation: z.int().min(1).optional(),
  index: z.int().min(0).optional(),
});

/** @throws InvalidInput */
export function queuedEvent(item: Item) {
  const { pk, ...rest } = parseAs(QueueItem, item, 'an item of the queue');
  return { eventId: EventId.parse(pk.slice('event#'.length)), ...rest };
}
