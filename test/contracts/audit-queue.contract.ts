import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvents, AuditQueue } from '../../functions/audit/ports.ts';
import { NotFound } from '../../functions/common/errors.ts';
import { anEvent, eventIdOf } from '../support/audit-events.ts';

const many = 130; // more than one batch of every kind that DynamoDB takes

/** What every queue of a sequencer must do. */
export function auditQueueContract(make: () => Promise<{ readonly auditEvents: AuditEvents; readonly auditQueue: AuditQueue }>): void {
  describe('the queue of the log', () => {
    let queue: AuditQueue;
    let auditEvents: AuditEvents;
    const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 7, 0, second)).toISOString();
    const enqueue = (...numbers: readonly number[]) =>
      Promise.all(numbers.map((number) => auditEvents.record(anEvent(number, { recordedAt: at(number) }))));
    beforeEach(async () => {
      ({ auditEvents, auditQueue: queue } = await make());
    });

    it('tells what waits, oldest first, and no more than asked for', async () => {
      await enqueue(3, 1, 2);
      const entries = [1, 2, 3].map((number) => anEvent(number, { recordedAt: at(number) }));
      expect(await queue.pending(10)).toEqual(entries.map(({ eventId, recordedAt, leaf }) => ({ eventId, recordedAt, leaf })));
      expect((await queue.pending(2)).map(({ eventId }) => eventId)).toEqual([1, 2].map(eventIdOf));
    });

    it('takes out what has its place, and goes on knowing leaf and place', async () => {
      await enqueue(1, 2);
      expect(await queue.place(eventIdOf(1))).toBeUndefined();
      await queue.settle(new Map([[eventIdOf(1), { generation: 2, index: 70_000 }]]));
      expect((await queue.pending(10)).map(({ eventId }) => eventId)).toEqual([eventIdOf(2)]);
      expect(await queue.place(eventIdOf(1))).toEqual({ generation: 2, index: 70_000 });
      expect(await queue.place(eventIdOf(2))).toBeUndefined();
      expect(await queue.places([1, 2, 3].map(eventIdOf))).toEqual(new Map([[eventIdOf(1), { generation: 2, index: 70_000 }]]));
      expect([...(await queue.leaves([1, 2].map(eventIdOf)))]).toHaveLength(2);
      expect((await queue.leaves([eventIdOf(1)])).get(eventIdOf(1))).toBe(anEvent(1, { recordedAt: at(1) }).leaf);
    });

    it('settles a whole batch, and settling it again after a crash in the middle changes nothing', async () => {
      const numbers = Array.from({ length: many }, (_, number) => number);
      await enqueue(...numbers);
      const places = new Map(numbers.map((number) => [eventIdOf(number), { generation: 1, index: number }]));
      await queue.settle(new Map([...places].slice(0, 40)));
      expect(await queue.pending(1000)).toHaveLength(many - 40);
      await Promise.all([queue.settle(places), queue.settle(places)]);
      expect(await queue.pending(1000)).toEqual([]);
      expect(await queue.leaves([...places.keys()])).toHaveProperty('size', many);
      expect(await queue.place(eventIdOf(many - 1))).toEqual({ generation: 1, index: many - 1 });
    });

    it('keeps an event out that is told again after it got its place', async () => {
      await enqueue(1);
      await queue.settle(new Map([[eventIdOf(1), { generation: 1, index: 0 }]]));
      expect(await auditEvents.record(anEvent(1, { recordedAt: at(9) }))).toBe('already');
      expect(await queue.pending(10)).toEqual([]);
      expect(await queue.place(eventIdOf(1))).toEqual({ generation: 1, index: 0 });
    });

    it('knows no leaf of what was never recorded', async () => {
      await enqueue(1);
      await expect(queue.leaves([1, 2].map(eventIdOf))).rejects.toThrow(NotFound);
      expect(await queue.place(eventIdOf(2))).toBeUndefined();
    });
  });
}
