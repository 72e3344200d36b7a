import { beforeEach, describe, expect, it } from 'vitest';
import { AuditEvent, type AuditLog, READING } from '../../functions/audit/ports.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';

function auditEvent(eventId: string, at: string, facts: Partial<AuditEvent> = {}): AuditEvent {
  return {
    eventId,
    actId: 'remove-snapshot:cb-hms-daily-20261001t070000z',
    phase: 'intent',
    at: timestamp(new Date(at)),
    actor: 'task/expire-recovery-points',
    action: 'remove-snapshot',
    resource: 'cb-hms-daily-20261001t070000z',
    region: Region.parse('us-east-1'),
    outcome: 'pending',
    details: { reason: 'past its retention', ageDays: 31.5, first: true, note: null },
    ...facts,
  };
}

/** What every audit log must do. */
export function auditLogContract(makePort: () => Promise<AuditLog>): void {
  describe('the audit log', () => {
    let log: AuditLog;
    beforeEach(async () => {
      log = await makePort();
    });

    it('gives back exactly what was recorded, intent before outcome', async () => {
      const intent = auditEvent('b-intent', '2026-11-21T03:00:00Z');
      const outcome = auditEvent('a-outcome', '2026-11-21T03:00:02Z', { phase: 'outcome', outcome: 'success' });
      await log.record(outcome);
      await log.record(intent);
      await log.record(auditEvent('c', '2026-11-21T03:00:01Z', { actId: 'another' }));
      expect(await log.act(intent.actId)).toEqual([intent, outcome]);
    });

    it('keeps the first record of an id, also when two arrive together', async () => {
      const event = auditEvent('one', '2026-11-21T03:00:00Z');
      await log.record(event);
      await Promise.all([log.record(event), log.record({ ...event, actId: 'forged', resource: 'forged' })]);
      expect(await log.recent(new Date('2026-11-21T00:00:00Z'), 10)).toEqual([event]);
      expect(await log.act('forged')).toEqual([]);
    });

    it('refuses an event that is not one', async () => {
      await expect(log.record({ ...auditEvent('bad', '2026-11-21T03:00:00Z'), actor: '' })).rejects.toThrow(InvalidInput);
      expect(await log.recent(new Date('2026-11-20T00:00:00Z'), 10)).toEqual([]);
    });

    it('keeps whom a reading was about, and refuses to of any act that cannot be erased', async () => {
      const reading = AuditEvent.parse({ ...auditEvent('read', '2026-11-21T03:00:00Z', { action: READING }), patientRef: 'patient-1' });
      await log.record(reading);
      expect(await log.act(reading.actId)).toEqual([reading]);
      await expect(log.record({ ...reading, eventId: 'other', action: 'restore' })).rejects.toThrow(InvalidInput);
      expect(await log.recent(new Date('2026-11-20T00:00:00Z'), 10)).toEqual([reading]);
    });

    it('lists the newest first, across days, from the given time on, and no more than asked for', async () => {
      const times = ['2026-11-18T23:59:59.999Z', '2026-11-19T00:00:00.000Z', '2026-11-19T12:00:00.000Z', '2026-11-21T03:00:00.000Z'];
      for (const [index, time] of times.entries()) await log.record(auditEvent(`event-${index}`, time));
      const idsSince = async (since: string, limit: number) => (await log.recent(new Date(since), limit)).map((event) => event.eventId);
      expect(await idsSince('2026-11-19T00:00:00Z', 10)).toEqual(['event-3', 'event-2', 'event-1']);
      expect(await idsSince('2026-11-18T00:00:00Z', 2)).toEqual(['event-3', 'event-2']);
      expect(await idsSince('2026-11-21T03:00:00.001Z', 10)).toEqual([]);
    });
  });
}
