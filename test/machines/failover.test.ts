import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { Hold } from '../../functions/failover/models.ts';
import { hms, leads, lostEast, onOnce, runFailover, writableIn } from '../support/failover-run.ts';
import { east, type FailoverWorld, failoverWorld, west } from '../support/failover-world.ts';
import { unpairedActs } from '../support/machine-run.ts';

const broken = () => new ServiceUnavailable('it does not answer');

describe('a Region is lost', () => {
  it('moves: the new primary is open, confirmed, told and recorded', async () => {
    const world = await lostEast();
    const canaries = () => world.databases.map((id) => world.server(id, west).facts().position.canary?.seq ?? 0);
    const before = canaries();
    const { states, end, succeeded } = await runFailover(world, await world.plan());
    expect(canaries()).toEqual(before.map((seq) => seq + 1));
    expect({ end, succeeded }).toEqual({ end: 'Failover complete', succeeded: true });
    expect(await leads(world)).toBe(`active 8 ${west}`);
    expect(writableIn(world, west)).toEqual([true, true]);
    expect(states.filter((state) => !/^(Wait|Is |Can |Has |Called|Committed|Up,|At |Told)/.test(state))).toEqual([
      'Assess whether to move',
      'Claim the next epoch',
      'Measure what would be lost',
      'POINT OF NO RETURN: commit to the new primary',
      'Promote the replica',
      'Scale the new Region up',
      'Note where the new history begins',
      'Open the new primary for writes',
      'Confirm with canary writes',
      'Move the traffic',
      'Tell people',
      'Record what happened',
      'Failover complete',
    ]);
    expect(await unpairedActs(world)).toEqual([]);
    expect(world.ports.notices.published).toMatchObject([{ region: west, severity: 1, subject: `Failover to ${west} is complete` }]);
  });

  it('waits for the old lease as long as nobody has watched it', async () => {
    const world = await lostEast();
    await world.observe({ unchangedSeconds: 5 });
    const { length, margin } = world.operations.failover.lease;
    const start = world.clock.now().getTime();
    const times = new Map<string, number>();
    await runFailover(world, await world.plan(), { onState: (state) => void times.set(state, world.clock.now().getTime()) });
    expect(Number(times.get('Measure what would be lost')) - start).toBe((length + margin - 5) * 1000);
  });

  it.each([
    ['goes on at once when the old guardian says that it closed and the replica has the closing', true],
    // A renewal without the closing after it would open the replica at its promotion, before this epoch gives it a lease.
    ['waits the old lease out when the old guardian says that it closed and the replica lacks the closing', false],
  ])('%s', async (_, streaming) => {
    const world = await lostEast();
    await world.observe({ unchangedSeconds: 0 });
    for (const id of world.databases) {
      world.server(id, east).set({ reachable: true });
      world.server(id, west).set({ streaming });
    }
    const { length, margin } = world.operations.failover.lease;
    const start = world.clock.now().getTime();
    const times = new Map<string, number>();
    const { end } = await runFailover(world, await world.plan(), {
      after: async (step) => void (step === 'claim-epoch' && (await world.closeEast(8))),
      onState: (state) => void times.set(state, world.clock.now().getTime()),
    });
    expect(end).toBe('Failover complete');
    const committed = Number(times.get('POINT OF NO RETURN: commit to the new primary')) - start;
    if (streaming) expect(committed).toBe(0);
    else expect(committed).toBeGreaterThanOrEqual((length + margin) * 1000);
  });

  it('asks again for strength when the first call was lost', async () => {
    const world = await lostEast();
    world.ports.capacity.failNext('scale', broken());
    const { end } = await runFailover(world, await world.plan());
    expect(end).toBe('Failover complete');
    expect(await world.ports.capacity.describe({ name: 'orders-api', region: west })).toMatchObject({ wanted: 4, running: 4 });
  });

  it('reports a service that does not come up, and ends all the same', async () => {
    const world = await lostEast();
    world.ports.capacity.setStuck({ name: 'orders-api', region: west }, true);
    const { end } = await runFailover(world, await world.plan());
    expect(end).toBe('Failover complete');
    const report = await world.ports.reports.get(west, 'failovers/000008/report.json');
    expect(JSON.parse(Buffer.from(report ?? []).toString())).toMatchObject({
      shortfalls: [expect.stringContaining('orders-api runs 2 of 4')],
    });
  });
});

describe('nothing is moved', () => {
  it('when the observers see nothing wrong any more', async () => {
    const world = await lostEast();
    const plan = await world.plan();
    await world.observe({ unhealthySeconds: 3 });
    const { end, succeeded } = await runFailover(world, plan);
    expect({ end, succeeded }).toEqual({ end: 'Nothing to do', succeeded: true });
    expect(await leads(world)).toBe(`active 7 ${east}`);
  });

  it('when somebody holds it', async () => {
    const world = await lostEast();
    const plan = await world.plan();
    const now = world.clock.now().toISOString();
    await world.ports.coordination.putHold({
      until: '2026-11-21T13:00:00.000Z' as never,
      by: 'alice',
      reason: 'maintenance',
      at: now as never,
    });
    expect(await runFailover(world, plan)).toMatchObject({ end: 'Nothing to do' });
  });

  it('when there is no replica to promote: it fails, and nothing was claimed', async () => {
    const world = await lostEast();
    world.server(hms, west).set({ failed: true });
    expect(await runFailover(world, await world.plan())).toMatchObject({ end: 'Rolled back: the old primary leads', succeeded: false });
    expect(await leads(world)).toBe(`active 7 ${east}`);
  });

  it('by a machine of the wrong Region', async () => {
    const world = await lostEast();
    const plan = await world.plan({ requestedBy: 'alice' });
    expect(await world.step('assess-failover', { plan }, east)).toMatchObject({ status: 'refused' });
  });

  it.each([
    ['whose epoch is taken by another plan', 8],
    ['of an epoch that is yet to come', 9],
    ['of an epoch that is over', 7],
  ])('for a plan %s', async (_, epoch) => {
    const world = await lostEast();
    const plan = await world.plan({ requestedBy: 'alice' });
    const other = { ...plan, requestedBy: 'bob' };
    if (epoch === 8) expect(await world.step('claim-epoch', { plan: other })).toMatchObject({ status: 'claimed' });
    const before = await leads(world);
    const { end, succeeded } = await runFailover(world, { ...plan, epoch: epoch as never });
    expect({ end, succeeded }).toEqual({ end: 'Somebody else moved', succeeded: false });
    expect(await leads(world)).toBe(before);
  });
});

describe('a hold aborts', () => {
  const hold = (world: FailoverWorld) =>
    world.ports.coordination.putHold(
      Hold.parse({ until: '2026-11-22T13:00:00.000Z', by: 'alice', reason: 'false alarm', at: world.clock.now().toISOString() }),
    );

  it.each([
    'Claim the next epoch',
    'Can the old primary still write?',
    'Measure what would be lost',
    'POINT OF NO RETURN: commit to the new primary',
  ])('what has come to "%s", and the old Region leads again', async (state) => {
    const world = await lostEast();
    const { end, succeeded } = await runFailover(
      world,
      await world.plan({ requestedBy: 'bob' }),
      onOnce(state, () => hold(world)),
    );
    expect({ end, succeeded }).toEqual({ end: 'Rolled back: the old primary leads', succeeded: false });
    expect(await leads(world)).toMatch(state === 'Claim the next epoch' ? `active 7 ${east}` : `active 9 ${east}`);
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('a question that nobody has answered yet', async () => {
    const world = await lostEast();
    const plan = await world.plan({ requestedBy: 'bob', needsApproval: true });
    expect(
      await runFailover(
        world,
        plan,
        onOnce('Wait for the answer to start', () => hold(world)),
      ),
    ).toMatchObject({
      end: 'Rolled back: the old primary leads',
    });
    expect(await leads(world)).toBe(`active 7 ${east}`);
  });

  it('nothing that is beyond the point of no return', async () => {
    const world = await lostEast();
    const { end } = await runFailover(
      world,
      await world.plan(),
      onOnce('Promote the replica', () => hold(world)),
    );
    expect(end).toBe('Failover complete');
    expect(await leads(world)).toBe(`active 8 ${west}`);
  });
});

describe('a planned change', () => {
  const planned = async () => {
    const world = await failoverWorld();
    return { world, plan: await world.plan({ kind: 'switchover', requestedBy: 'alice' }) };
  };

  it('loses nothing: it waits for the closing mark', async () => {
    const { world, plan } = await planned();
    for (const id of world.databases) world.server(id, west).set({ streaming: false });
    let looks = 0;
    const { end } = await runFailover(world, plan, {
      after: async (step) => void (step === 'claim-epoch' && (await world.closeEast(8))),
      before(step) {
        if (step === 'measure-loss' && ++looks === 5) {
          for (const id of world.databases) world.server(id, west).set({ streaming: true });
          for (const id of world.databases) world.server(id, east).set({});
        }
      },
    });
    expect(end).toBe('Failover complete');
    expect(looks).toBe(5);
  });

  it('is given up when the closing mark does not come', async () => {
    const { world, plan } = await planned();
    for (const id of world.databases) world.server(id, west).set({ streaming: false });
    const { end } = await runFailover(world, plan, { after: async (step) => void (step === 'claim-epoch' && (await world.closeEast(8))) });
    expect(end).toBe('Rolled back: the old primary leads');
    expect(await leads(world)).toBe(`active 9 ${east}`);
  });

  it('is given up when the old primary does not say that it closed', async () => {
    const { world, plan } = await planned();
    const { end, states } = await runFailover(world, plan);
    expect(end).toBe('Rolled back: the old primary leads');
    expect(states).not.toContain('Measure what would be lost');
    expect(world.ports.notices.published.at(-1)?.text).toContain(`${east} did not close its databases`);
  });
});
