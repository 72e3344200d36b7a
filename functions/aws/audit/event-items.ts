import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { EventBody } from '../../audit/events/event.ts';
import { type EventPlace, placeOf } from '../../audit/events/order.ts';
import { bodyOf } from '../../audit/events/recorded.ts';
import { type EventRef, RecordedEvent } from '../../audit/ports.ts';
import { timestamp } from '../../common/ids.ts';
import { auditTableIndexes } from '../../common/names.ts';
import { parseAs } from '../../common/parse.ts';
import type { Item } from '../batch-items.ts';

/**
 * Parts that the indexes by day are split into: one partition of an index takes 1 000 writes a second, and all events of a moment have one day. 16 take ten times what is
 * promised (1 500 events/s).
 */
const dayShards = 16;

/** Users and resources may be services and lists that everything passes through: a quarter of their events each. */
const nameShards = 4;

export const eventKey = ({ region, eventId }: EventRef): string => `${region}/${eventId}`;

const shardOf = (eventId: string, shards: number): string => hex((createHash('sha256').update(eventId).digest()[0] ?? 0) % shards);
const allShards = (shards: number): readonly string[] => Array.from({ length: shards }, (_, shard) => hex(shard));
const hex = (shard: number): string => shard.toString(16);

/** Partitions of the indexes that hold one value's events (of one day, where it is by day). */
export const partitionsOf = {
  byTime: (day: string) => allShards(dayShards).map((shard) => `${day}#${shard}`),
  byAction: (day: string, action: string) => allShards(dayShards).map((shard) => `${day}#${shard}#${action}`),
  byOutcome: (day: string, outcome: string) => allShards(dayShards).map((shard) => `${day}#${shard}#${outcome}`),
  byUser: (userId: string) => allShards(nameShards).map((shard) => `${shard}#${userId}`),
  byResource: (resource: string) => allShards(nameShards).map((shard) => `${shard}#${resource}`),
} as const;

const dayOf = (place: EventPlace): string => place.slice(0, 10);

/** By what an event is found. */
function searchedFor(eventId: string, place: EventPlace, body: EventBody) {
  const byDay = `${dayOf(place)}#${shardOf(eventId, dayShards)}`;
  const byName = shardOf(eventId, nameShards);
  return {
    [auditTableIndexes.byAction.partition]: `${byDay}#${body.action}`,
    ...(body.outcome === 'success' ? {} : { [auditTableIndexes.byOutcome.partition]: `${byDay}#${body.outcome}` }),
    [auditTableIndexes.byUser.partition]: `${byName}#${body.userId}`,
    [auditTableIndexes.byResource.partition]: `${byName}#${body.resource}`,
    ...(body.patientRef ? { [auditTableIndexes.byPatient.partition]: body.patientRef } : {}),
    ...(body.actId ? { [auditTableIndexes.byAct.partition]: body.actId } : {}),
  };
}

/** Attributes that erasing removes: the body, the salt, and everything that is searched for but the time. */
export const erasedAttributes = [
  ...['body', 'salt'],
  ...Object.values(auditTableIndexes).flatMap(({ partition }) => (partition === auditTableIndexes.byTime.partition ? [] : [partition])),
];

/** Where an event is found by its time. */
export const timeAttributes = (eventId: string, place: EventPlace) => ({
  [auditTableIndexes.byTime.partition]: `${dayOf(place)}#${shardOf(eventId, dayShards)}`,
  [auditTableIndexes.byTime.sort]: place,
});

/**
 * An event as an item of the audit table: what is kept, beside it the attributes of the indexes, and `updatedAt`, which comparing a restored table goes by.
 *
 * @throws InvalidInput when its body is none
 */
export function itemOf(event: RecordedEvent, now: Date): Item {
  const body = bodyOf(event);
  const place = placeOf(event, body);
  return {
    eventKey: eventKey(event),
    ...event,
    updatedAt: timestamp(now),
    ...timeAttributes(event.eventId, place),
    ...(body ? searchedFor(event.eventId, place, body) : {}),
  };
}

const StoredEvent = z.object(RecordedEvent.shape);

/** @throws InvalidInput when the item is no event */
export const eventOf = (item: unknown): RecordedEvent => parseAs(StoredEvent, item, 'an item of the audit table');
