import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { parseFailoverReport } from '../../functions/failover/report/failover-report.ts';
import { failoverDefinition, hms, leads, lostEast, onOnce, runFailover, writableIn } from '../support/failover-run.ts';
import { east, west } from '../support/failover-world.ts';
import { unpairedActs } from '../support/machine-run.ts';

const broken = () => new ServiceUnavailable('it does not answer');

describe('before the point of no return the lease is given back', () => {
  const steps = ['claim-epoch', 'await-fence', 'measure-loss', 'commit-promotion'];

  it.each(steps)('when "%s" fails for good', async (broken) => {
    const world = await lostEast();
    const { end, succeeded } = await runFailover(world, await world.plan(), {
      before(step) {
        if (step === broken) throw new TypeError('a defect');
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Rolled back: the old primary leads', succeeded: false });
    expect(await leads(world)).toBe(broken === 'claim-epoch' ? `active 7 ${east}` : `active 9 ${east}`);
    expect(world.ports.notices.published.at(-1)).toMatchObject({ severity: 2, subject: `Failover to ${west} was given up` });
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('and giving back insists while the table does not answer', async () => {
    const world = await lostEast();
    let attempts = 0;
    const { end } = await runFailover(world, await world.plan(), {
      before(step) {
        if (step === 'measure-loss') throw new TypeError('a defect');
        if (step === 'give-lease-back' && ++attempts < 20) throw broken();
      },
    });
    expect(end).toBe('Rolled back: the old primary leads');
    expect(await leads(world)).toBe(`active 9 ${east}`);
  });

  it('and a human is called when it cannot be given back', async () => {
    const world = await lostEast();
    const { end, states } = await runFailover(world, await world.plan(), {
      before(step) {
        if (step === 'measure-loss') throw new TypeError('a defect');
        if (step === 'give-lease-back') throw broken();
      },
    });
    expect(end).toBe('Waiting for a human');
    expect(states).toContain('Call a human: the lease could not be given back');
  });

  it('but never when the answer to the commit was lost: it is only started again', async () => {
    const world = await lostEast();
    const plan = await world.plan();
    const { end, succeeded } = await runFailover(world, plan, {
      after(step) {
        if (step === 'commit-promotion') throw new TypeError('the answer was lost');
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Beyond the point of no return: start it again', succeeded: false });
    expect(await leads(world)).toBe(`promoting 8 ${west}`);
    expect(await runFailover(world, plan)).toMatchObject({ end: 'Failover complete' });
  });
});

describe('beyond the point of no return it insists', () => {
  it.each(['promote-replica', 'await-promotion', 'note-beginning', 'open-primary', 'confirm-writes'])(
    'on "%s", whatever happens',
    async (flaky) => {
      const world = await lostEast();
      let attempts = 0;
      const { end } = await runFailover(world, await world.plan(), {
        async before(step) {
          if (step !== flaky) return;
          if (++attempts < 20) throw new TypeError('whatever');
          if (step === 'confirm-writes') await world.renewWest(8); // as its guardian does all the while
        },
      });
      expect(end).toBe('Failover complete');
      expect(await leads(world)).toBe(`active 8 ${west}`);
    },
  );

  it.each([
    ['promote-replica', `promoting 8 ${west}`],
    ['open-primary', `promoting 8 ${west}`],
    ['confirm-writes', `active 8 ${west}`],
  ])('and calls a human when "%s" cannot be done', async (hopeless, standing) => {
    const world = await lostEast();
    const { end, states, succeeded } = await runFailover(world, await world.plan(), {
      before(step) {
        if (step === hopeless) throw broken();
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Waiting for a human', succeeded: false });
    expect(states).toContain('Call a human: the new primary is not open');
    expect(await leads(world)).toBe(standing);
    expect(world.ports.notices.published.at(-1)).toMatchObject({ severity: 1, subject: `Failover to ${west} needs a human` });
  });

  it('calls a human at once when the promotion itself failed', async () => {
    const world = await lostEast();
    const { end } = await runFailover(world, await world.plan(), {
      ...onOnce('Is the new primary up?', () => world.server(hms, west).set({ failed: true })),
    });
    expect(end).toBe('Waiting for a human');
  });

  it('is no success when people could not be told, but the report is written', async () => {
    const world = await lostEast();
    const { end, succeeded } = await runFailover(world, await world.plan(), {
      before(step) {
        if (step === 'tell-people') throw broken();
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Complete, but not told or not recorded', succeeded: false });
    expect(await world.ports.reports.list(west, 'failovers/')).toContain('failovers/000008/report.json');
  });
});

describe('crash anywhere, run again: the same result (P3)', () => {
  it.each(['before', 'after'] as const)('%s every step', async (when) => {
    const whole = await lostEast();
    const { states } = await runFailover(whole, await whole.plan());
    const expected = await leads(whole);
    const points = states.flatMap((state, at) =>
      ['Task', 'Wait'].includes(failoverDefinition.States[state]?.Type ?? '') ? [{ state, at }] : [],
    );
    expect(new Set(points.map(({ state }) => state)).size).toBeGreaterThan(14);
    for (const { state, at } of points) {
      const world = await lostEast();
      const plan = await world.plan();
      const first = await runFailover(world, plan, { dies: { at, when } });
      const second = await runFailover(world, plan);
      const outcome = { state, first: first.end, second: second.end, leads: await leads(world), writable: writableIn(world, west) };
      const died = when === 'before' || failoverDefinition.States[state]?.Type === 'Task' ? 'died' : 'Failover complete';
      expect(outcome).toEqual({ state, first: died, second: 'Failover complete', leads: expected, writable: [true, true] });
      const beginning = await world.ports.reports.get(west, 'failovers/000008/beginning.json');
      expect(JSON.parse(Buffer.from(beginning ?? []).toString()).snapshots).toHaveLength(2);
      // What was measured before the point of no return is told whoever takes over, and nothing is left to take over.
      const report = parseFailoverReport((await world.ports.reports.get(west, 'failovers/000008/report.json')) ?? Buffer.from(''));
      expect({ state, losses: report.losses.map(({ databaseId }) => databaseId), fenced: report.fenced }).toEqual({
        ...{ state, losses: world.databases },
        fenced: 'by-expiry',
      });
      expect((await world.ports.coordination.read())?.committed).toBeUndefined();
    }
  });

  it('an execution that died after the opening leaves the record for others to take it up', async () => {
    const world = await lostEast();
    const plan = await world.plan();
    const { states } = await runFailover(await lostEast(), plan);
    await runFailover(world, plan, { dies: { at: states.indexOf('Confirm with canary writes'), when: 'after' } });
    expect(await leads(world)).toBe(`active 8 ${west}`);
    expect(await world.ports.coordination.read()).toMatchObject({ committed: { plan, fenced: 'by-expiry' } });
  });

  it('an execution that slept through the next change does nothing', async () => {
    const world = await lostEast();
    const plan = await world.plan();
    const records = new Map<string, unknown>();
    await runFailover(world, plan, { before: (step) => void records.set(step, undefined) });
    const later = { ...(await world.ports.coordination.read()), epoch: 12, holder: east, plan: undefined };
    await world.ports.coordination.replace(later as never);
    const before = await leads(world);
    const promoted: string[] = [];
    for (const step of records.keys()) {
      if (['assess-failover', 'tell-people', 'record-failover'].includes(step)) continue;
      promoted.push(`${step}: ${(await world.step(step, { plan, status: 'waiting', fenced: 'by-expiry', fenceWaitSeconds: 0 })).status}`);
    }
    expect(promoted.filter((each) => !each.endsWith(': lost'))).toEqual([]);
    expect(promoted.length).toBeGreaterThan(10);
    expect(await leads(world)).toBe(before);
  });
});
