import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import { Override, Silence, TimelineEntry, type Triage } from '../../functions/incidents/models.ts';
import type { Incidents } from '../../functions/incidents/ports.ts';
import { aKnownAlarm, anIncident, aSignal, elsewhere } from '../support/incidents.ts';

const at = (time: string) => timestamp(new Date(`2026-11-21T${time}Z`));
const epoch = new Date(0);
const resolved = { status: 'resolved', resolvedAt: at('08:00:00'), resolvedBy: 'cli/alice' } as const;

/** What every store of incidents must do. `in` is the same store as another Region's functions have it, with its replica caught up. */
export function incidentsContract(makePorts: () => Promise<{ readonly incidents: Incidents; in(region: Region): Incidents }>): void {
  let incidents: Incidents;
  let inRegion: (region: Region) => Incidents;
  beforeEach(async () => {
    const made = await makePorts();
    incidents = made.incidents;
    inRegion = (region) => made.in(region);
  });

  describe('incidents', () => {
    it('are given back exactly as they were opened', async () => {
      const incident = anIncident({ roles: { commander: 'alice' }, links: [{ kind: 'proof', ref: 'cbv-1' }], pausedUntil: at('09:00:00') });
      await incidents.create(incident, undefined);
      expect(await incidents.get(incident.id)).toEqual(incident);
      expect(await incidents.ofGroup(incident.groupKey)).toEqual(incident);
      expect(await incidents.get(anIncident({ mark: 'other' }).id)).toBeUndefined();
    });

    it('let one of two openers of a group win', async () => {
      const opened = await Promise.allSettled(['a', 'b'].map((mark) => incidents.create(anIncident({ mark }), undefined)));
      const lost = opened.filter((each) => each.status === 'rejected');
      expect(lost).toHaveLength(1);
      expect(lost[0]?.reason).toBeInstanceOf(Conflict);
      expect(await incidents.open()).toHaveLength(1);
      expect(await incidents.ofGroup('orders@us-east-1')).toEqual((await incidents.open())[0]);
    });

    it('refuse to open another for a group that has moved on, and leave no trace of it', async () => {
      const [first, second, third] = ['a', 'b', 'c'].map((mark, hour) => anIncident({ mark, openedAt: `2026-11-21T0${hour}:00:00Z` }));
      if (!first || !second || !third) throw new Error('three incidents');
      await incidents.create(first, undefined);
      await incidents.create(second, first.id);
      await expect(incidents.create(third, first.id)).rejects.toThrow(Conflict);
      expect(await incidents.get(third.id)).toBeUndefined();
      expect(await incidents.open()).toEqual([second, first]);
      expect(await incidents.ofGroup(first.groupKey)).toEqual(second);
    });

    it('refuse an id that exists', async () => {
      await incidents.create(anIncident(), undefined);
      await expect(incidents.create(anIncident({ groupKey: 'other@us-east-1' }), undefined)).rejects.toThrow(Conflict);
      expect(await incidents.ofGroup('other@us-east-1')).toBeUndefined();
    });

    it('belong to groups of their home: another Region has a group of that name of its own', async () => {
      const here = anIncident();
      const there = anIncident({ mark: 'there', home: elsewhere });
      await incidents.create(here, undefined);
      await inRegion(elsewhere).create(there, undefined);
      expect(await inRegion(elsewhere).ofGroup(here.groupKey)).toEqual(there);
      expect(await incidents.ofGroup(here.groupKey)).toEqual(here);
      expect((await incidents.open()).map(({ id }) => id).toSorted()).toEqual([here.id, there.id].toSorted());
    });

    it('raise their version with each update, and let one of two writers win', async () => {
      const incident = anIncident();
      await incidents.create(incident, undefined);
      const second = await incidents.update({ ...incident, severity: 1 });
      expect(second).toEqual({ ...incident, severity: 1, version: 1 });
      const both = await Promise.allSettled([incidents.update({ ...second, severity: 3 }), incidents.update({ ...second, severity: 4 })]);
      expect(both.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { name: 'Conflict' } }]);
      expect((await incidents.get(incident.id))?.version).toBe(2);
      await expect(incidents.update(incident)).rejects.toThrow(Conflict);
      await expect(incidents.update(anIncident({ mark: 'never opened' }))).rejects.toThrow(Conflict);
    });

    it('leave the open ones when they are over and come back when they are reopened', async () => {
      const incident = anIncident();
      await incidents.create(incident, undefined);
      const closed = await incidents.update({ ...incident, ...resolved });
      expect(await incidents.open()).toEqual([]);
      expect(await incidents.ofGroup(incident.groupKey)).toEqual(closed);
      const { resolvedAt: _, resolvedBy: __, ...again } = closed;
      const reopened = await incidents.update({ ...again, status: 'triggered', generation: 2 });
      expect(await incidents.open()).toEqual([reopened]);
      await incidents.update({ ...reopened, status: 'merged' });
      expect(await incidents.open()).toEqual([]);
    });

    it('are listed newest first, over months and from a moment on', async () => {
      const times = ['2026-09-30T23:59:59Z', '2026-10-31T23:59:59Z', '2026-11-01T00:00:00Z', '2026-11-21T06:00:00Z'];
      const [september, october, first, newest] = times.map((openedAt) => anIncident({ openedAt, groupKey: openedAt }));
      for (const each of [newest, september, first, october]) if (each) await incidents.create(each, undefined);
      expect(await incidents.recent(new Date('2026-10-31T23:59:59Z'), 10)).toEqual([newest, first, october]);
      expect(await incidents.recent(epoch, 2)).toEqual([newest, first]);
      expect(await incidents.recent(epoch, 10)).toEqual([newest, first, october, september]);
    });
  });

  describe('the timeline', () => {
    const entry = (time: string, kind: TimelineEntry['kind'], says: string) =>
      TimelineEntry.parse({ at: at(time), kind, by: 'triage', says });

    it('is in the order of time, and of signal before decision before page', async () => {
      const { id } = anIncident();
      const [signal, decision, page, later] = [
        entry('07:00:00', 'signal', 'ServiceDown of orders rings'),
        entry('07:00:00', 'decision', 'opened'),
        entry('07:00:00', 'page', 'on-call by email'),
        entry('07:00:01', 'signal', 'a later one'),
      ];
      if (!signal || !decision || !page || !later) throw new Error('four entries');
      await incidents.append(id, [later, page]);
      await incidents.append(id, [decision, signal]);
      expect(await incidents.timeline(id)).toEqual([signal, decision, page, later]);
      expect(await incidents.timeline(anIncident({ mark: 'other' }).id)).toEqual([]);
    });

    it('takes the same entry once', async () => {
      const { id } = anIncident();
      const one = entry('07:00:00', 'note', 'looked at it');
      await incidents.append(id, [one, one]);
      await incidents.append(id, [{ ...one, by: 'cli/bob' }, entry('07:00:00', 'note', 'looked at it again')]);
      expect((await incidents.timeline(id)).map(({ by, says }) => `${by}: ${says}`).toSorted()).toEqual([
        'triage: looked at it',
        'triage: looked at it again',
      ]);
    });
  });

  describe('what became of signals', () => {
    const triaged = (signalId: string, says: string) => {
      const triage: Triage = { signalId, outcome: 'ignored', says, at: at('07:00:00') };
      return { signal: aSignal({ signalId, note: 'as the source wrote it' }), triage };
    };

    it('is what was said first', async () => {
      const [one, two, three] = ['one', 'two', 'a name with spaces/and#signs'].map((id) => triaged(id, 'first'));
      if (!one || !two || !three) throw new Error('three signals');
      expect(await incidents.record([one, two])).toEqual(['one', 'two']);
      expect(await incidents.record([triaged('two', 'second'), three, triaged('one', 'second')])).toEqual([three.signal.signalId]);
      expect(await incidents.triageOf('two')).toEqual(two.triage);
      expect(await incidents.triageOf(three.signal.signalId)).toEqual(three.triage);
      expect(await incidents.triageOf('never heard of')).toBeUndefined();
    });
  });

  describe('known alarms', () => {
    it('are kept by dedup key, each Region its own', async () => {
      const one = aKnownAlarm(aSignal());
      const two = aKnownAlarm(aSignal({ subject: 'imaging' }));
      const stored = await incidents.putAlarm(one);
      expect(stored).toEqual({ ...one, version: 1 });
      await incidents.putAlarm(two);
      expect(await incidents.alarms([one.dedupKey, one.dedupKey, aSignal({ subject: 'unheard' }).dedupKey])).toEqual([stored]);
      expect(await inRegion(elsewhere).alarms([one.dedupKey])).toEqual([]);
    });

    it('let one of two writers win', async () => {
      const alarm = aKnownAlarm(aSignal());
      const both = await Promise.allSettled([incidents.putAlarm(alarm), incidents.putAlarm(alarm)]);
      expect(both.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { name: 'Conflict' } }]);
      await expect(incidents.putAlarm({ ...alarm, version: 3 })).rejects.toThrow(Conflict);
      expect((await incidents.alarms([alarm.dedupKey]))[0]?.version).toBe(1);
    });

    it('are listed while they are held back', async () => {
      const heldBack = { by: 'silence', name: 'sil-1', since: at('07:00:00') } as const;
      const other = await incidents.putAlarm(aKnownAlarm(aSignal({ subject: 'imaging' })));
      const held = await incidents.putAlarm(aKnownAlarm(aSignal(), { heldBack }));
      expect(await incidents.heldBack()).toEqual([held]);
      expect(await inRegion(elsewhere).heldBack()).toEqual([]);
      const both = await incidents.putAlarm({ ...other, heldBack });
      expect((await incidents.heldBack()).map(({ subject }) => subject).toSorted()).toEqual(['imaging', 'orders']);
      const { heldBack: _, ...free } = held;
      await incidents.putAlarm(free);
      expect(await incidents.heldBack()).toEqual([both]);
    });
  });

  describe('silences, overrides and links', () => {
    it('can be put again under their ids', async () => {
      const silence = Silence.parse({ silenceId: 'sil-1', from: at('07:00:00'), until: at('08:00:00'), by: 'alice', reason: 'a new disk' });
      const shorter = { ...silence, until: at('07:30:00') };
      const override = Override.parse({
        overrideId: 'ovr-1',
        schedule: 'on-call',
        person: 'bob',
        from: at('07:00:00'),
        until: at('08:00:00'),
        by: 'alice',
      });
      await incidents.putSilence(silence);
      await incidents.putSilence(shorter);
      await incidents.putOverride(override);
      expect(await incidents.silences()).toEqual([shorter]);
      expect(await incidents.overrides()).toEqual([override]);
    });

    it('are spent once', async () => {
      const expiresAt = new Date('2026-11-21T08:00:00Z');
      const spent = await Promise.all([
        incidents.spend('one', expiresAt),
        incidents.spend('one', expiresAt),
        incidents.spend('two', expiresAt),
      ]);
      expect(spent.toSorted()).toEqual([false, true, true]);
      expect(await incidents.spend('one', expiresAt)).toBe(false);
    });
  });
}
