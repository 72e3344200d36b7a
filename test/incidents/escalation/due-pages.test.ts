import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timestamp } from '../../../functions/common/ids.ts';
import { duePages } from '../../../functions/incidents/escalation/due-pages.ts';
import { lookAt } from '../../../functions/incidents/escalation/look.ts';
import { leavesSeconds } from '../../../functions/incidents/escalation/shared-cause.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { onCallOf } from '../../../functions/incidents/on-call/on-call.ts';
import { memoryIncidents } from '../../../functions/memory/incidents.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { memoryOutbox } from '../../../functions/memory/outbox.ts';
import { escalating, startsAt } from '../../support/escalation-world.ts';
import { anIncident, aPage, aSignal } from '../../support/incidents.ts';

const policy = escalating.incidents;
const { primary: east, standby: west, tertiary } = escalating.regions;
const at = (seconds: number) => new Date(startsAt + seconds * 1000);
const stamp = (seconds: number) => timestamp(at(seconds));
const incident = (given: Partial<Incident> = {}) => anIncident({ openedAt: at(0).toISOString(), ...given });
const due = (given: Partial<Incident>, seconds: number) =>
  duePages(incident(given), policy, onCallOf(policy, []), at(seconds), { pages: [] });
const month = 30 * 86_400;

describe('what is due', () => {
  test('says incident, generation, round, step, person and method in its id', () => {
    expect(due({ generation: 3 }, 1200).pages.map(({ pageId }) => pageId.slice(incident().id.length))).toEqual([
      '/3/0/0/ada/0',
      '/3/0/1/ada/0',
      '/3/0/1/owner/0',
      '/3/1/0/ada/0',
      '/3/1/1/ada/0',
      '/3/1/1/owner/0',
    ]);
  });

  test('nothing months later, while it is acknowledged; from the first step on once that is stale', () => {
    const acknowledgements = [{ by: 'ada', at: stamp(60), until: stamp(3 * month) }];
    for (const seconds of [61, month, 2 * month, 3 * month - 1]) {
      expect(due({ acknowledgements }, seconds)).toEqual({ stage: 'answered', pages: [], lookAgainAt: at(3 * month), nobody: [] });
    }
    expect(due({ acknowledgements }, 3 * month).pages.map(({ reason, dueAt }) => [reason, dueAt])).toEqual([
      ['stale-acknowledgement', stamp(3 * month)],
    ]);
  });

  test('nothing of what is over, of what pages nobody, and of what was acknowledged before it became worse all', () => {
    expect(due({ status: 'resolved' }, 1200).stage).toBe('over');
    expect(due({ status: 'merged' }, 1200).stage).toBe('over');
    expect(due({ severity: 4 }, 1200).stage).toBe('over');
    expect(due({ acknowledgements: [{ by: 'ada', at: stamp(-60), until: stamp(month) }] }, 0).pages).toHaveLength(1);
  });

  test('a page that failed makes the next way due from then on, and the last way leaves none', () => {
    const page = (method: number, failedAt: number) =>
      aPage(incident(), at(0).toISOString(), {
        pageId: `${incident().id}/1/0/0/ada/${method}`,
        status: 'failed',
        takenUntil: stamp(failedAt),
      });
    const methods = (seconds: number, ...pages: ReturnType<typeof page>[]) =>
      duePages(incident(), policy, onCallOf(policy, []), at(seconds), { pages }).pages.map(({ method, dueAt }) => [method, dueAt]);
    expect(methods(10, page(0, 8))).toEqual([
      ['email', stamp(0)],
      ['sms', stamp(8)],
    ]);
    expect(methods(7, page(0, 8))).toEqual([['email', stamp(0)]]);
    expect(methods(20, page(0, 8), page(1, 12))).toHaveLength(2);
  });

  test('with time, more and more of one stretch; every page keeps its id and its time', () => {
    const moment = fc.integer({ min: 0, max: 4000 });
    fc.assert(
      fc.property(moment, moment, (one, other) => {
        const [earlier, later] = [due({}, Math.min(one, other)), due({}, Math.max(one, other))];
        const known = new Map(later.pages.map((page) => [page.pageId, page.dueAt]));
        expect(earlier.pages.map(({ pageId, dueAt }) => known.get(pageId) === dueAt)).toEqual(earlier.pages.map(() => true));
        expect(later.pages.every(({ dueAt }) => Date.parse(dueAt) <= at(Math.max(one, other)).getTime())).toBe(true);
        const next = earlier.lookAgainAt;
        // Nothing new before the time at which it says to look again.
        if (next) expect(due({}, (next.getTime() - startsAt) / 1000 - 1).pages).toHaveLength(earlier.pages.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a cause that lies in another Region', () => {
  const lost = aSignal({ alarm: 'RegionDown', subject: 'us-east-1', region: east });
  const seenBy = (home: typeof east, mark: string): Incident => {
    const given = incident({ home, mark } as Partial<Incident>);
    return {
      ...given,
      troubles: given.troubles.map((trouble) => ({
        ...trouble,
        ...{ dedupKey: lost.dedupKey, alarm: lost.alarm, subject: lost.subject, region: east },
      })),
    };
  };
  const first = { ...anIncident({ openedAt: at(0).toISOString(), mark: 'first' }), ...pick(seenBy(west, 'first')), home: west };
  const second = {
    ...anIncident({ openedAt: at(0).toISOString(), mark: 'second' }),
    ...pick(seenBy(tertiary, 'second')),
    home: tertiary,
    groupKey: 'other',
  };
  function pick({ troubles, home }: Incident): Pick<Incident, 'troubles' | 'home'> {
    return { troubles, home };
  }

  test('is told by the first Region that sees it, at once; the next one leaves it a minute', () => {
    const regions = [east, west, tertiary];
    expect([leavesSeconds(first, regions), leavesSeconds(second, regions), leavesSeconds(incident(), regions)]).toEqual([0, 60, 0]);
    const all = { ...second, troubles: second.troubles.map((trouble) => ({ ...trouble, region: tertiary })) };
    expect(leavesSeconds(all, regions)).toBe(0);
  });

  test('and by the next one when nothing of the first one’s is heard', async () => {
    const store = memoryItemStore({ now: () => at(0) });
    const ports = {
      operations: escalating,
      incidents: memoryIncidents({ store, region: tertiary }),
      outbox: memoryOutbox({ store, region: tertiary }),
    };
    await ports.incidents.create(second, undefined);
    expect((await lookAt(second, ports, at(59))).pages).toEqual([]);
    expect((await lookAt(second, ports, at(60))).pages.map(({ dueAt }) => dueAt)).toEqual([stamp(60)]);

    await memoryIncidents({ store, region: west }).create(first, undefined);
    const page = aPage(first, at(0).toISOString());
    await ports.outbox.add(page);
    expect((await lookAt(second, ports, at(60))).stage).toBe('telling');
    await ports.outbox.update({ ...page, status: 'accepted', acceptedAt: stamp(2) });
    expect((await lookAt(second, ports, at(60))).stage).toBe('told-elsewhere');
    expect((await lookAt(first, ports, at(60))).stage).toBe('telling');
  });
});
