import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { Region, timestamp } from '../../../functions/common/ids.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import { auditPager } from '../../../functions/incidents/pager-audit/audit-pager.ts';
import { testPaging } from '../../../functions/incidents/pager-audit/test-paging.ts';
import { memoryChannels } from '../../../functions/memory/channels.ts';
import { watchedRun } from '../../support/dying-run.ts';
import { memoryWorld } from '../../support/host.ts';
import { anIncident, aPage, home } from '../../support/incidents.ts';
import { pagingOperations, wayTo } from '../../support/paging-world.ts';

const operations = pagingOperations({ ada: ['email', 'sms'], ben: ['email'] });
const { standby, tertiary } = operations.regions;
const incident = anIncident({ openedAt: '2026-11-21T07:00:00Z' });
const idOf = (person: string, method = 0) => `${incident.id}/1/0/0/${person}/${method}`;

async function world(start = '2026-11-21T07:00:00Z') {
  const made = memoryWorld({ start, operations });
  await made.ports.incidents.create(incident, undefined);
  const missedIn = async (region: string): Promise<unknown> => {
    const { result } = await made.pass(auditPager, { region });
    return result;
  };
  return { ...made, missedIn };
}
const accepted = { status: 'accepted', acceptedAt: timestamp(new Date('2026-11-21T07:00:02Z')) } as const;

describe('the auditor of the pager', () => {
  it('is quiet when every page that was due is sent', async () => {
    const { ports, clock, missedIn } = await world();
    for (const person of ['ada', 'ben'])
      await ports.outbox.add(aPage(incident, '2026-11-21T07:00:00Z', { pageId: idOf(person), person, ...accepted }));
    clock.advance(120);
    for (const region of [home, standby, tertiary]) expect(await missedIn(region)).toEqual({ missed: [] });
    expect(ports.notices.published).toEqual([]);
  });

  it('tells of a page that was never sent, once in the deployment, past the outbox', async () => {
    const { ports, clock, missedIn } = await world();
    await ports.outbox.add(aPage(incident, '2026-11-21T07:00:00Z', { pageId: idOf('ada'), person: 'ada', ...accepted }));
    clock.advance(59);
    expect(await missedIn(home)).toEqual({ missed: [] });
    clock.advance(2);
    expect(await missedIn(home)).toEqual({ missed: [idOf('ben')] });
    expect(await missedIn(home)).toEqual({ missed: [] });
    clock.advance(180);
    for (const region of [standby, tertiary]) expect(await missedIn(region)).toEqual({ missed: [] });
    expect(ports.notices.published).toHaveLength(1);
    expect(ports.notices.published[0]).toMatchObject({ region: home, severity: 2, subject: expect.stringContaining(incident.id) });
    expect(ports.notices.published[0]?.text).toContain('ben by email, due 2026-11-21T07:00:00.000Z: never written down');
    expect(ports.metrics.recorded.filter(({ name, value }) => name === 'PagesMissed' && value > 0)).toHaveLength(1);
    expect(await ports.auditLog.recent(new Date(0), 100)).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ action: 'report-missed-page', details: { page: idOf('ben'), dueAt: '2026-11-21T07:00:00.000Z' } }),
      ]),
    );
  });

  it('of another Region speaks for one that is lost', async () => {
    const { clock, missedIn, ports } = await world();
    clock.advance(119);
    expect(await missedIn(standby)).toEqual({ missed: [] });
    clock.advance(2);
    expect(await missedIn(standby)).toEqual({ missed: [idOf('ada'), idOf('ben')] });
    clock.advance(70);
    expect(await missedIn(tertiary)).toEqual({ missed: [] });
    expect(ports.notices.published).toMatchObject([{ region: standby }]);
  });

  it.each(['pending', 'sending', 'not-needed'] as const)('misses a page that is %s', async (status) => {
    const { ports, clock, missedIn } = await world();
    for (const person of ['ada', 'ben'])
      await ports.outbox.add(aPage(incident, '2026-11-21T07:00:00Z', { pageId: idOf(person), person, status }));
    clock.advance(61);
    expect(await missedIn(home)).toEqual({ missed: [idOf('ada'), idOf('ben')] });
  });

  it('misses nobody whose next way took the page, and whoever has none left', async () => {
    const { ports, clock, missedIn } = await world();
    const failed = { status: 'failed', takenUntil: timestamp(new Date('2026-11-21T07:00:02Z')) } as const;
    for (const person of ['ada', 'ben'])
      await ports.outbox.add(aPage(incident, '2026-11-21T07:00:00Z', { pageId: idOf(person), person, ...failed }));
    const sms = { pageId: idOf('ada', 1), person: 'ada', method: 'sms', reason: 'second-channel', ...accepted } as const;
    await ports.outbox.add(aPage(incident, '2026-11-21T07:00:02Z', sms));
    clock.advance(90);
    expect(await missedIn(home)).toEqual({ missed: [idOf('ben')] });
  });

  it('misses nothing that somebody answered', async () => {
    const { ports, clock, missedIn } = await world();
    const at = timestamp(new Date('2026-11-21T07:00:30Z'));
    const until = timestamp(new Date('2026-11-21T08:00:00Z'));
    await ports.incidents.update({ ...incident, status: 'acknowledged', acknowledgements: [{ by: 'ada', at, until }] });
    clock.advance(90);
    expect(await missedIn(home)).toEqual({ missed: [] });
  });

  it('that dies anywhere tells all the same, twice at worst', async () => {
    const auditWith = async (death?: Parameters<typeof watchedRun>[1]) => {
      const made = await world();
      made.clock.advance(90);
      const watched = watchedRun(made.ports, death);
      await made.pass(auditPager, { ports: watched.ports as Partial<Ports> }).catch(() => {});
      return { made, calls: watched.calls };
    };
    const { calls } = await auditWith();
    expect(calls).toContain('notices.publish');
    for (const call of calls.keys()) {
      for (const when of ['before', 'after'] as const) {
        const { made } = await auditWith({ death: { call: call + 1, when } });
        await made.missedIn(home);
        await made.missedIn(home);
        const times = made.ports.notices.published.length;
        expect(times, `${when} ${calls[call]}`).toBeGreaterThanOrEqual(1);
        expect(times, `${when} ${calls[call]}`).toBeLessThanOrEqual(2);
      }
    }
  });
});

describe('the daily test', () => {
  const daily = async (region: string, start = '2026-11-21T15:00:00Z') => {
    const made = memoryWorld({ start, operations });
    return { ...made, test: (input = {}) => made.run(testPaging, { input }, { region }) };
  };

  it('is one synthetic page by every way to whoever is on duty, from one Region a day', async () => {
    const regions = [operations.regions.primary, standby, tertiary];
    const turns = [];
    for (const region of regions) {
      const { ports, test } = await daily(region);
      // The twins of another Region's channels are the same ones: what counts is who asks.
      await test();
      turns.push(ports.metrics.recorded.filter(({ name }) => name === 'PageSeconds').length);
    }
    expect(turns.filter((pages) => pages === 2)).toHaveLength(1); // ada has a mail and a number; ben is not on duty
    expect(turns.filter((pages) => pages === 0)).toHaveLength(2);
  });

  it('says what a channel refused, and what would not arrive for those who are not on duty', async () => {
    const made = memoryWorld({ start: '2026-11-21T15:00:00Z', operations });
    const channels = memoryChannels(made.clock);
    channels.setTrouble('email', 'its subscription waits to be confirmed');
    const { result } = await made.run(testPaging, { input: { now: true } }, { ports: { ...made.ports, channels } });
    expect(result).toMatchObject({
      pages: 2,
      findings: [
        'ada by email in us-east-1: the synthetic page is failed, its subscription waits to be confirmed',
        'ada by email: its subscription waits to be confirmed',
        'ben by email: its subscription waits to be confirmed',
      ],
    });
    expect(channels.delivered).toMatchObject([{ person: 'ada', method: wayTo('ada', 'sms'), text: { facts: { kind: 'test' } } }]);
    expect(made.ports.notices.published).toHaveLength(1);
    expect(made.ports.metrics.recorded).toContainEqual(expect.objectContaining({ name: 'PagingFindings', value: 3 }));
  });

  it('writes nothing but a zero when all is well, and counts a check that cannot be made as a finding', async () => {
    const made = memoryWorld({ start: '2026-11-21T15:00:00Z', operations });
    await made.run(testPaging, { input: { now: true } });
    expect(made.ports.notices.published).toEqual([]);
    expect(made.ports.metrics.recorded).toContainEqual(expect.objectContaining({ name: 'PagingFindings', value: 0 }));
    made.clock.advance(86_400);
    const channels = memoryChannels(made.clock);
    channels.failNext('check', new ServiceUnavailable('SNS does not answer'));
    const { result } = await made.run(testPaging, { input: { now: true } }, { ports: { ...made.ports, channels } });
    expect(result).toMatchObject({ findings: ['ada by email in us-east-1: cannot be looked at: SNS does not answer'] });
  });

  it('runs every day in every Region, and only where people are paged', () => {
    expect(testPaging.schedules(operations)).toHaveLength(1);
    expect(auditPager.schedules({ ...operations, incidents: { ...operations.incidents, mode: 'off' } })).toEqual([]);
    expect([auditPager.runsIn, testPaging.runsIn]).toEqual(['every', 'every']);
    expect(Region.parse(home)).toBe(home);
  });
});
