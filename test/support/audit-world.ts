import { createHash } from 'node:crypto';
import { EventBody } from '../../functions/audit/events/event.ts';
import { recordedEvent } from '../../functions/audit/events/recorded.ts';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import type { RecordedEvent } from '../../functions/audit/ports.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import { memoryAuditEvents } from '../../functions/memory/audit/events.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { failable } from '../../functions/memory/failable.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { testOperations } from './operations.ts';

/** What an event of an application has unless a test says otherwise. */
export interface GivenEvent {
  readonly eventId?: string;
  readonly at?: string;
  readonly userId?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly outcome?: EventBody['outcome'];
  readonly patientRef?: string;
  readonly service?: string;
  readonly submittedBy?: string;
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly purpose?: EventBody['purpose'];
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** `anEventId(3)`: always the same UUID. */
export const anEventId = (mark: string | number): string =>
  createHash('sha256')
    .update(String(mark))
    .digest('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');

/** As it is kept: recorded a second after it happened, with a salt that follows from its id. */
export function aRecordedEvent(region: Region, given: GivenEvent = {}): RecordedEvent {
  const at = given.at ?? '2026-11-21T11:00:00.000Z';
  const eventId = given.eventId ?? anEventId(JSON.stringify(given));
  const body = EventBody.parse({
    ...{ userId: 'u-17', action: 'record.read', resource: 'Observation/o-1', outcome: 'success', service: 'ehr', submittedBy: 'bus' },
    ...given,
    ...{ eventId, at },
  });
  const recordedAt = timestamp(new Date(Date.parse(at) + 1000));
  return recordedEvent({ body, region, recordedAt, salt: createHash('sha256').update(eventId).digest() });
}

/** Events in memory behind ports that can fail, a log that they are sequenced into, and the acts that Codeblue recorded meanwhile; it is 12:00. */
export function auditWorld() {
  const operations = testOperations();
  const clock = manualClock('2026-11-21T12:00:00.000Z');
  const region = operations.regions.primary;
  const store = memoryItemStore(clock);
  const auditEvents = failable(memoryAuditEvents({ store, region }));
  const ports = memoryPorts({ operations, clock, store, auditEvents });
  return {
    ...{ ports, operations, clock, region, store },
    async record(given: GivenEvent = {}) {
      const event = aRecordedEvent(region, given);
      await auditEvents.record(event);
      return event;
    },
    /** Recorded in the standby Region, whose events are in the same table. */
    async recordElsewhere(given: GivenEvent = {}) {
      const elsewhere = operations.regions.standby;
      const event = aRecordedEvent(elsewhere, given);
      await memoryAuditEvents({ store, region: elsewhere }).record(event);
      return event;
    },
    /** Everything that waits, into the log. */
    async sequence() {
      while ((await sequenceOnce({ ...ports, operations, region, clock })).did === 'integrated');
    },
    /** What Codeblue did, newest first. */
    acts: async () => ports.auditLog.recent(new Date(0), 100),
  };
}
