import { PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { AuditEvent, type AuditLog } from '../audit/ports.ts';
import { Conflict } from '../common/errors.ts';
import { auditTableIndexes } from '../common/names.ts';
import { parseAs } from '../common/parse.ts';
import { documentsIn } from './dynamodb.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/** Nothing was recorded before Codeblue existed: where a search through the days ends. */
const firstDay = Date.UTC(2026, 0, 1);
const dayMilliseconds = 86_400_000;

/**
 * Audit events in a table of their own, one item per event under its id, so that one id is recorded once only. `record`
 * returns when DynamoDB has it in three zones; the two indexes that `act` and `recent` read follow within a second or so.
 */
export function auditLogPort({ region, auditTable, clock }: AwsSettings): AuditLog {
  const documents = documentsIn(region);
  const { byAct, byTime } = auditTableIndexes;

  async function* eventsOf(index: typeof byAct | typeof byTime, partition: string, options: { since?: string; newestFirst: boolean }) {
    const from = options.since ?? '';
    const query = {
      TableName: auditTable,
      IndexName: index.name,
      KeyConditionExpression: from ? '#partition = :partition AND #sort >= :from' : '#partition = :partition',
      ExpressionAttributeNames: { '#partition': index.partition, ...(from ? { '#sort': index.sort } : {}) },
      ExpressionAttributeValues: { ':partition': partition, ...(from ? { ':from': from } : {}) },
      ScanIndexForward: !options.newestFirst,
    };
    const pages = paginateQuery({ client: documents }, query)[Symbol.asyncIterator]();
    for (;;) {
      const page = await calling(`read audit events ${partition}`, () => pages.next());
      if (page.done) return;
      for (const item of page.value.Items ?? []) yield parseAs(AuditEvent, item.event, `audit event ${item.eventId}`);
    }
  }

  return {
    async record(given) {
      const event = parseAs(AuditEvent, given, `audit event ${given.eventId}`);
      const command = new PutCommand({ TableName: auditTable, Item: itemOf(event), ConditionExpression: 'attribute_not_exists(eventId)' });
      try {
        await calling(`record audit event ${event.eventId}`, () => documents.send(command));
      } catch (error) {
        if (!(error instanceof Conflict)) throw error; // recorded already: the first record stands
      }
    },
    async act(actId) {
      const events: AuditEvent[] = [];
      for await (const event of eventsOf(byAct, actId, { newestFirst: false })) events.push(event);
      return events;
    },
    async recent(since, limit) {
      const events: AuditEvent[] = [];
      const last = Math.max(since.getTime(), firstDay);
      // From tomorrow: the clock of another Region may be ahead of this one.
      for (let time = clock.now().getTime() + dayMilliseconds; dayOf(time) >= dayOf(last); time -= dayMilliseconds) {
        for await (const event of eventsOf(byTime, dayOf(time), { since: since.toISOString(), newestFirst: true })) {
          if (events.length === limit) return events;
          events.push(event);
        }
      }
      return events;
    },
  };
}

const dayOf = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 10);

const itemOf = (event: AuditEvent) => ({
  eventId: event.eventId,
  actId: event.actId,
  phaseAndId: `${event.phase === 'intent' ? 1 : 2}#${event.eventId}`,
  day: event.at.slice(0, 10),
  atAndId: `${event.at}#${event.eventId}`,
  updatedAt: event.at,
  version: 1,
  event,
});
