import { beforeEach, describe, expect, it } from 'vitest';
import { bodyOf } from '../../functions/audit/events/recorded.ts';
import type { AuditEvents, AuditQueue, EventFilter, RecordedEvent } from '../../functions/audit/ports.ts';
import { InvalidInput, NotFound, NotOwned } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import { anActOf, anEvent, eventIdOf } from '../support/audit-events.ts';
import { elsewhere, home } from '../support/incidents.ts';

export interface AuditEventsHarness {
  /** The events as functions of that Region have them. */
  in(region: Region): AuditEvents;
  /** The queue of the home Region. */
  readonly auditQueue: AuditQueue;
}

const always = { from: new Date('2026-11-18T00:00:00Z'), until: new Date('2026-11-22T00:00:00Z') };
const numbersOf = (events: readonly RecordedEvent[]) => events.map(({ eventId }) => Number.parseInt(eventId.slice(-12), 16));

/** What every store of audit events must do. */
export function auditEventsContract(make: () => Promise<AuditEventsHarness>): void {
  describe('audit events', () => {
    let harness: AuditEventsHarness;
    let events: AuditEvents;
    beforeEach(async () => {
      harness = await make();
      events = harness.in(home);
    });
    const found = async (filter: Partial<EventFilter>) => numbersOf((await events.query({ ...always, ...filter }, { limit: 100 })).events);

    describe('recording', () => {
      it('makes an event and its place in the queue durable', async () => {
        const event = anEvent(1);
        expect(await events.record(event)).toBe('recorded');
        expect(await events.get([event])).toEqual([event]);
        const { eventId, recordedAt, leaf } = event;
        expect(await harness.auditQueue.pending(10)).toEqual([{ eventId, recordedAt, leaf }]);
      });

      it('told again by another carrier changes nothing', async () => {
        const event = anEvent(1);
        await events.record(event);
        const again = anEvent(1, { submittedBy: 'bus', recordedAt: '2026-11-21T09:00:00Z' });
        expect(await events.record(again)).toBe('already');
        expect(await events.get([event])).toEqual([event]);
        expect(await harness.auditQueue.pending(10)).toHaveLength(1);
      });

      it('of another event under its id is a conflict, and changes nothing', async () => {
        const event = anEvent(1);
        await events.record(event);
        expect(await events.record(anEvent(1, { outcome: 'denied' }))).toBe('conflict');
        expect(await events.get([event])).toEqual([event]);
        expect(await found({ outcome: 'denied' })).toEqual([]);
        expect((await harness.auditQueue.leaves([event.eventId])).get(event.eventId)).toBe(event.leaf);
      });

      it('of one event by several at once counts once', async () => {
        const outcomes = await Promise.all([1, 2, 3].map(() => events.record(anEvent(1))));
        expect(outcomes.sort()).toEqual(['already', 'already', 'recorded']);
        expect(await harness.auditQueue.pending(10)).toHaveLength(1);
      });

      it('of two events under one id at once takes one of them', async () => {
        const outcomes = await Promise.all([events.record(anEvent(1)), events.record(anEvent(1, { userId: 'somebody-else' }))]);
        expect(outcomes.sort()).toEqual(['conflict', 'recorded']);
        const [stands] = await events.get([anEvent(1)]);
        expect((await harness.auditQueue.leaves([eventIdOf(1)])).get(eventIdOf(1))).toBe(stands?.leaf);
      });

      it('is for events of its own Region; one that is told in two is recorded in both', async () => {
        await expect(events.record(anEvent(1, { region: elsewhere }))).rejects.toThrow(NotOwned);
        expect(await events.get([{ region: elsewhere, eventId: eventIdOf(1) }])).toEqual([]);
        await events.record(anEvent(1));
        expect(await harness.in(elsewhere).record(anEvent(1, { region: elsewhere }))).toBe('recorded');
        expect(await events.get([anEvent(1), anEvent(1, { region: elsewhere }), anEvent(2)])).toHaveLength(2);
      });
    });

    describe('searching', () => {
      it('finds by each of what is searched for, and by all of it together', async () => {
        await events.record(anEvent(1));
        await events.record(anEvent(2, { userId: 'nurse-18', at: '2026-11-21T07:00:02Z' }));
        await events.record(anEvent(3, { patientRef: 'patient:0816', at: '2026-11-21T07:00:03Z' }));
        await events.record(anEvent(4, { resource: 'Observation/4712', at: '2026-11-21T07:00:04Z' }));
        await events.record(anEvent(5, { action: 'record.print', at: '2026-11-21T07:00:05Z' }));
        await events.record(anEvent(6, { outcome: 'denied', at: '2026-11-21T07:00:06Z' }));
        await events.record(anEvent(7, { patientRef: undefined, at: '2026-11-21T07:00:07Z' }));
        const first = bodyOf(anEvent(1));
        const third = bodyOf(anEvent(3, { patientRef: 'patient:0816' }));
        expect(await found({})).toEqual([7, 6, 5, 4, 3, 2, 1]);
        expect(await found({ userId: 'nurse-18' })).toEqual([2]);
        expect(await found({ userId: 'nurse-17' })).toEqual([7, 6, 5, 4, 3, 1]);
        expect(await found({ resource: 'Observation/4712' })).toEqual([4]);
        expect(await found({ action: 'record.print' })).toEqual([5]);
        expect(await found({ action: 'record.read' })).toEqual([7, 6, 4, 3, 2, 1]);
        expect(await found({ outcome: 'denied' })).toEqual([6]);
        expect(await found({ outcome: 'success', action: 'record.print' })).toEqual([5]);
        expect(await found({ ...(third?.patientRef ? { patientRef: third.patientRef } : {}) })).toEqual([3]);
        const all = { userId: 'nurse-17', resource: 'Observation/4711', action: 'record.read', outcome: 'success' as const };
        expect(await found({ ...all, ...(first?.patientRef ? { patientRef: first.patientRef } : {}) })).toEqual([1]);
        expect(await found({ ...all, action: 'record.print', outcome: 'denied' })).toEqual([]);
      });

      it('goes by the time of the event, the end not included', async () => {
        await events.record(anEvent(1, { at: '2026-11-19T23:59:59.999Z' }));
        await events.record(anEvent(2, { at: '2026-11-20T00:00:00.000Z' }));
        await events.record(anEvent(3, { at: '2026-11-21T00:00:00.000Z' }));
        const from = new Date('2026-11-20T00:00:00Z');
        expect(await found({ from })).toEqual([3, 2]);
        expect(await found({ from, until: new Date('2026-11-21T00:00:00.000Z') })).toEqual([2]);
        expect(await found({ from, until: new Date('2026-11-21T00:00:00.001Z'), userId: 'nurse-17' })).toEqual([3, 2]);
        expect(await found({ from, until: from })).toEqual([]);
        expect(await found({ until: new Date(8.64e15), action: 'record.read' })).toEqual([3, 2, 1]);
      });

      it('gives pages that nothing recorded meanwhile shifts, over days and Regions', async () => {
        const other = harness.in(elsewhere);
        const at = (number: number) => new Date(Date.UTC(2026, 10, 18) + number * 5 * 3_600_000).toISOString();
        for (let number = 1; number <= 13; number++) await events.record(anEvent(number, { at: at(number) }));
        for (const number of [14, 15]) await other.record(anEvent(number, { region: elsewhere, at: at(number) }));
        const seen: number[] = [];
        let next: string | undefined;
        for (let pages = 0; pages === 0 || next; pages++) {
          const page: Awaited<ReturnType<typeof events.query>> = await events.query(always, { limit: 4, ...(next ? { next } : {}) });
          seen.push(...numbersOf(page.events));
          next = page.next;
          await events.record(anEvent(100 + pages, { at: at(20 + pages) }));
        }
        expect(seen).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
      });

      it('tells the end of what there is by giving no next page', async () => {
        for (const number of [1, 2, 3, 4]) await events.record(anEvent(number));
        const first = await events.query({ ...always, userId: 'nurse-17' }, { limit: 2 });
        const second = await events.query({ ...always, userId: 'nurse-17' }, { limit: 2, ...(first.next ? { next: first.next } : {}) });
        expect([numbersOf(first.events), numbersOf(second.events)]).toEqual([
          [4, 3],
          [2, 1],
        ]);
        expect(second.next).toBeUndefined();
      });

      it('refuses a page that is none of its own', async () => {
        await expect(events.query(always, { limit: 2, next: 'bm9uc2Vuc2U' })).rejects.toThrow(InvalidInput);
      });

      it('finds both phases of an act, of every Region', async () => {
        const act = { actId: 'remove-snapshot:cb-1', patientRef: undefined };
        await events.record(anEvent(1, { ...act, phase: 'intent' }));
        await harness.in(elsewhere).record(anEvent(2, { ...act, phase: 'outcome', region: elsewhere }));
        await events.record(anEvent(3, { actId: 'remove-snapshot:cb-1:other', phase: 'intent' }));
        expect(numbersOf(await events.ofAct('remove-snapshot:cb-1')).sort()).toEqual([1, 2]);
      });
    });

    describe('erasing', () => {
      const erasedAt = timestamp(new Date('2026-11-22T07:00:00Z'));

      it('takes body and salt, and leaves the leaf and a place in the order of time', async () => {
        const event = anEvent(1, {
          at: '2026-11-20T07:00:00Z',
          recordedAt: '2026-11-21T06:00:00Z',
          outcome: 'denied',
          actId: 'a',
          phase: 'intent',
        });
        await events.record(event);
        await events.record(anEvent(2, { at: '2026-11-21T05:00:00Z' }));
        await events.erase(event, erasedAt);
        const { body: _, salt: __, ...rest } = event;
        expect(await events.get([event])).toEqual([{ ...rest, erasedAt }]);
        expect(await found({})).toEqual([1, 2]);
        for (const filter of [{ userId: 'nurse-17' }, { resource: 'Observation/4711' }, { action: 'record.read' }]) {
          expect(await found(filter)).toEqual([2]);
        }
        expect(await found({ outcome: 'denied' })).toEqual([]);
        expect(await events.ofAct('a')).toEqual([]);
        expect((await harness.auditQueue.leaves([event.eventId])).get(event.eventId)).toBe(event.leaf);
      });

      it('twice is no error, and the first time stands', async () => {
        await events.record(anEvent(1));
        await events.erase(anEvent(1), erasedAt);
        await events.erase(anEvent(1), timestamp(new Date('2026-11-23T07:00:00Z')));
        expect(await events.get([anEvent(1)])).toMatchObject([{ erasedAt }]);
      });

      it('is not undone by telling the event again', async () => {
        await events.record(anEvent(1));
        await events.erase(anEvent(1), erasedAt);
        expect(await events.record(anEvent(1))).toBe('already');
        expect((await events.get([anEvent(1)]))[0]?.body).toBeUndefined();
      });

      it('takes a reading of the log, and no other act of Codeblue', async () => {
        const reading = anActOf('audit.read', { patientRef: 'patient:0815' });
        const acts = ['audit.erase', 'restore', 'report-audit-finding'].map((action) => anActOf(action));
        for (const act of [reading, ...acts]) await events.record(act);
        const { patientRef } = bodyOf(reading) ?? {};
        expect((await events.query({ ...always, ...(patientRef ? { patientRef } : {}) }, { limit: 9 })).events).toEqual([reading]);
        await events.erase(reading, erasedAt);
        for (const act of acts) await expect(events.erase(act, erasedAt)).rejects.toThrow(InvalidInput);
        expect((await events.query({ ...always, ...(patientRef ? { patientRef } : {}) }, { limit: 9 })).events).toEqual([]);
        const { body: _, salt: __, ...rest } = reading;
        expect(await events.get([reading])).toEqual([{ ...rest, erasedAt }]);
        expect((await events.get(acts)).map(({ body }) => body).sort()).toEqual(acts.map(({ body }) => body).sort());
      });

      it('of what was never recorded is refused, and makes nothing', async () => {
        await expect(events.erase(anEvent(1), erasedAt)).rejects.toThrow(NotFound);
        expect(await events.get([anEvent(1)])).toEqual([]);
      });
    });
  });
}
