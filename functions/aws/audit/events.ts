import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isErasable } from '../../audit/erase/erasable.ts';
import { placeOf } from '../../audit/events/order.ts';
import { isSameEvent } from '../../audit/events/recorded.ts';
import { type AuditEvents, type EventRef, RecordedEvent } from '../../audit/ports.ts';
import { Conflict, InvalidInput, NotFound, NotOwned, ServiceUnavailable } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { auditTableKeys } from '../../common/names.ts';
import { parseAs } from '../../common/parse.ts';
import { readItems } from '../batch-items.ts';
import { documentsIn } from '../dynamodb.ts';
import { calling } from '../errors.ts';
import type { AwsSettings } from '../settings.ts';
import { writeTogether } from '../transactions.ts';
import { erasedAttributes, eventKey, eventOf, itemOf, timeAttributes } from './event-items.ts';
import { eventsOfAct, queryEvents } from './event-queries.ts';
import { queuedEntry } from './queue-items.ts';

/** Somebody else's transaction holds the items for some milliseconds. */
const mostAttempts = 5;

/**
 * Events of all Regions in a global table, `<region>/<eventId>` each: a Region writes its own only, so that no two Regions write one item (but to erase it). The
 * queue of this Region's sequencer is in a table of its own that is not replicated; an event and its entry there are one transaction.
 */
export function auditEventsPort(settings: AwsSettings): AuditEvents {
  const { region, auditTable, clock } = settings;
  const documents = documentsIn(region);
  const keyOf = (ref: EventRef) => ({ [auditTableKeys.partition]: eventKey(ref) });

  async function read(ref: EventRef): Promise<RecordedEvent | undefined> {
    const command = new GetCommand({ TableName: auditTable, Key: keyOf(ref), ConsistentRead: true });
    const { Item } = await calling(`read event ${ref.eventId}`, () => documents.send(command));
    return Item && eventOf(Item);
  }

  return {
    async record(given) {
      const event = parseAs(RecordedEvent, given, `event ${given.eventId}`);
      if (event.region !== region) throw new NotOwned(`events of ${event.region} are recorded there, not in ${region}`);
      const now = clock.now();
      const onlyOnce = (name: string) => ({
        ConditionExpression: 'attribute_not_exists(#key)',
        ExpressionAttributeNames: { '#key': name },
      });
      const parts = [
        { Put: { TableName: auditTable, Item: itemOf(event, now), ...onlyOnce(auditTableKeys.partition) } },
        { Put: { ...queuedEntry(settings, event, now), ...onlyOnce('pk') } },
      ];
      for (let attempt = 1; ; attempt++) {
        try {
          await writeTogether(documents, `record event ${event.eventId}`, parts);
          return 'recorded';
        } catch (error) {
          if (!(error instanceof Conflict)) throw error;
          const known = await read(event);
          if (known) return isSameEvent(known, event) ? 'already' : 'conflict';
          // Neither is there: another transaction has them in hand and may still fail.
          if (attempt === mostAttempts) throw new ServiceUnavailable(`event ${event.eventId} is not recorded yet`, { cause: error });
          await clock.sleep(25 * 2 ** attempt);
        }
      }
    },
    async get(refs) {
      const keys = [...new Map(refs.map((ref) => [eventKey(ref), keyOf(ref)])).values()];
      return (await readItems({ documents, clock }, auditTable, keys)).map(eventOf);
    },
    query: (filter, page) => queryEvents(settings, filter, page),
    ofAct: (actId) => eventsOfAct(settings, actId),
    async erase(ref, at) {
      const known = await read(ref);
      if (!known) throw new NotFound(`there is no event ${ref.eventId} in ${ref.region}`);
      if (!isErasable(known)) throw new InvalidInput(`event ${ref.eventId} is an act of Codeblue, which is never erased`);
      const { body: _, salt: __, ...rest } = known;
      // All of it follows from what never changes: erasing again, here or in another Region, writes the same.
      const set = {
        ...timeAttributes(ref.eventId, placeOf(rest, undefined)),
        erasedAt: known.erasedAt ?? at,
        updatedAt: timestamp(clock.now()),
      };
      const names = [...Object.keys(set), ...erasedAttributes];
      const nameOf = (name: string) => `#n${names.indexOf(name)}`;
      const command = new UpdateCommand({
        TableName: auditTable,
        Key: keyOf(ref),
        ConditionExpression: `attribute_exists(${auditTableKeys.partition})`, // IAM counts it as touched, and whoever erases may touch no leaf
        UpdateExpression: `SET ${Object.keys(set)
          .map((name) => `${nameOf(name)} = :v${names.indexOf(name)}`)
          .join(', ')} REMOVE ${erasedAttributes.map(nameOf).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [nameOf(name), name])),
        ExpressionAttributeValues: Object.fromEntries(Object.entries(set).map(([name, value]) => [`:v${names.indexOf(name)}`, value])),
      });
      await calling(`erase event ${ref.eventId}`, () => documents.send(command));
    },
  };
}
