import { beforeEach, describe, expect, it } from 'vitest';
import { NotFound } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import type { Ledger } from '../../functions/maintenance/ports.ts';

const due = (time: string) => ({ task: 'backup-database', key: 'hms/daily', scheduledAt: timestamp(new Date(time)) });
const at = (time: string) => new Date(`2026-11-21T${time}Z`);

/** What every ledger of runs must do. */
export function ledgerContract(makePort: () => Promise<Ledger>): void {
  describe('the ledger', () => {
    const run = due('2026-11-21T07:00:00Z');
    let ledger: Ledger;
    beforeEach(async () => {
      ledger = await makePort();
    });

    it('gives an occurrence to the first of two triggers', async () => {
      const claims = await Promise.all([ledger.claim(run, at('07:00:01'), 900), ledger.claim(run, at('07:00:01'), 900)]);
      expect(claims.toSorted()).toEqual([false, true]);
    });

    it('tells occurrences apart by task, key and time', async () => {
      await ledger.claim(run, at('07:00:01'), 900);
      expect(await ledger.claim({ ...run, key: 'billing/daily' }, at('07:00:02'), 900)).toBe(true);
      expect(await ledger.claim({ ...run, task: 'sweep-orphans' }, at('07:00:02'), 900)).toBe(true);
      expect(await ledger.claim(due('2026-11-22T07:00:00Z'), at('07:00:02'), 900)).toBe(true);
    });

    it('does not run again what succeeded, however long ago', async () => {
      await ledger.claim(run, at('07:00:01'), 900);
      await ledger.finish(run, at('07:01:00'));
      expect(await ledger.claim(run, at('23:00:00'), 900)).toBe(false);
    });

    it('runs again what failed', async () => {
      await ledger.claim(run, at('07:00:01'), 900);
      await ledger.finish(run, at('07:01:00'), 'throttled');
      expect(await ledger.claim(run, at('07:01:01'), 900)).toBe(true);
    });

    it('hands over an attempt that has not ended once it is stale, and not a second earlier', async () => {
      await ledger.claim(run, at('07:00:00'), 900);
      expect(await ledger.claim(run, at('07:14:59'), 900)).toBe(false);
      expect(await ledger.claim(run, at('07:15:00'), 900)).toBe(true);
    });

    it('keeps a success when an attempt that was taken over fails later', async () => {
      await ledger.claim(run, at('07:00:00'), 60);
      await ledger.claim(run, at('07:02:00'), 60);
      await ledger.finish(run, at('07:03:00'));
      await ledger.finish(run, at('07:04:00'), 'the first attempt timed out');
      expect((await ledger.lastSuccess(run.task, run.key))?.endedAt).toBe('2026-11-21T07:03:00.000Z');
    });

    it('refuses to finish what nobody claimed', async () => {
      await expect(ledger.finish(run, at('07:01:00'))).rejects.toThrow(NotFound);
    });

    it('finds the newest success behind newer failures', async () => {
      expect(await ledger.lastSuccess(run.task, run.key)).toBeUndefined();
      for (const [time, error] of [['06:00'], ['07:00'], ['08:00', 'throttled']] as const) {
        const occurrence = due(`2026-11-21T${time}:00Z`);
        await ledger.claim(occurrence, at(`${time}:01`), 900);
        await ledger.finish(occurrence, at(`${time}:30`), error);
      }
      await ledger.claim(due('2026-11-21T09:00:00Z'), at('09:00:01'), 900);
      expect(await ledger.lastSuccess(run.task, run.key)).toEqual({
        ...due('2026-11-21T07:00:00Z'),
        status: 'succeeded',
        attempt: 1,
        startedAt: '2026-11-21T07:00:01.000Z',
        endedAt: '2026-11-21T07:00:30.000Z',
      });
    });
  });
}
