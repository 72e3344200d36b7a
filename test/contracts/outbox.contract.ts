import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import type { Outbox } from '../../functions/incidents/ports.ts';
import { anIncident, aPage, elsewhere } from '../support/incidents.ts';

const at = (time: string) => new Date(`2026-11-21T${time}Z`);
const incident = anIncident();
const other = anIncident({ mark: 'other' });
const page = (pageId: string, due: string) => aPage(incident, `2026-11-21T${due}Z`, { pageId: `${incident.id}/${pageId}` });

/** What every outbox must do. `in` is the same one as another Region's functions have it. */
export function outboxContract(makePorts: () => Promise<{ readonly outbox: Outbox; in(region: Region): Outbox }>): void {
  describe('the outbox', () => {
    let outbox: Outbox;
    let inRegion: (region: Region) => Outbox;
    beforeEach(async () => {
      const made = await makePorts();
      outbox = made.outbox;
      inRegion = (region) => made.in(region);
    });

    it('has a page once, whoever adds it', async () => {
      const one = page('1/0/0/on-call/0', '07:00:00');
      const added = await Promise.all([outbox.add(one), outbox.add({ ...one, method: 'sms' })]);
      expect(added.toSorted()).toEqual([false, true]);
      expect(await outbox.add(one)).toBe(false);
      expect(await outbox.of(incident.id)).toHaveLength(1);
    });

    it('tells the pages of one incident', async () => {
      const [one, two] = [page('one', '07:05:00'), page('two', '07:00:00')];
      const theirs = aPage(other, '2026-11-21T07:00:00Z');
      for (const each of [one, two, theirs]) await outbox.add(each);
      expect(await outbox.of(incident.id)).toEqual([two, one]);
      expect(await outbox.of(other.id)).toEqual([theirs]);
      expect(await outbox.of(anIncident({ mark: 'none' }).id)).toEqual([]);
    });

    it('tells what is due and unsent, oldest first, no more than asked for', async () => {
      const [late, early, future] = [page('late', '07:05:00'), page('early', '07:00:00'), page('future', '07:05:00.001')];
      for (const each of [late, future, early]) await outbox.add(each);
      expect(await outbox.unsent(at('07:05:00'), 10)).toEqual([early, late]);
      expect(await outbox.unsent(at('07:05:00'), 1)).toEqual([early]);
      expect(await outbox.unsent(at('06:59:59.999'), 10)).toEqual([]);
    });

    it('shows each Region the pages that are its own to send', async () => {
      const there = aPage({ ...other, home: elsewhere }, '2026-11-21T07:00:00Z');
      await inRegion(elsewhere).add(there);
      expect(await outbox.unsent(at('08:00:00'), 10)).toEqual([]);
      expect(await inRegion(elsewhere).unsent(at('08:00:00'), 10)).toEqual([there]);
      expect(await outbox.of(other.id)).toEqual([there]);
    });

    it.each(['accepted', 'failed', 'not-needed'] as const)('has done with a page that is %s', async (status) => {
      const pending = page('one', '07:00:00');
      await outbox.add(pending);
      const sending = await outbox.update({ ...pending, status: 'sending', attempts: 1, takenUntil: timestamp(at('07:00:30')) });
      expect(await outbox.unsent(at('07:00:00'), 10)).toEqual([sending]);
      const { takenUntil: _, ...settled } = sending;
      expect(await outbox.update({ ...settled, status, receipt: 'message 1' })).toMatchObject({ status, version: 2 });
      expect(await outbox.unsent(at('08:00:00'), 10)).toEqual([]);
      expect(await outbox.of(incident.id)).toMatchObject([{ status, receipt: 'message 1', version: 2 }]);
    });

    it('keeps a page that was settled from the start off the list', async () => {
      await outbox.add({ ...page('one', '07:00:00'), status: 'not-needed' });
      expect(await outbox.unsent(at('08:00:00'), 10)).toEqual([]);
      expect(await outbox.of(incident.id)).toHaveLength(1);
    });

    it('lets one of two senders take a page', async () => {
      const pending = page('one', '07:00:00');
      await outbox.add(pending);
      const takers = await Promise.allSettled([1, 2].map((attempts) => outbox.update({ ...pending, status: 'sending', attempts })));
      expect(takers.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { name: 'Conflict' } }]);
      await expect(outbox.update(page('never added', '07:00:00'))).rejects.toThrow(Conflict);
    });

    it('follows a page whose time changes', async () => {
      const pending = page('one', '07:00:00');
      await outbox.add(pending);
      await outbox.update({ ...pending, dueAt: timestamp(at('09:00:00')) });
      expect(await outbox.unsent(at('08:00:00'), 10)).toEqual([]);
      expect(await outbox.unsent(at('09:00:00'), 10)).toHaveLength(1);
    });
  });
}
