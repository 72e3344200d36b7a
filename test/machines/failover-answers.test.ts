import { describe, expect, it } from 'vitest';
import type { FailoverPlan } from '../../functions/failover/models.ts';
import { leads, lostEast, runFailover } from '../support/failover-run.ts';
import { east, type FailoverWorld, failoverWorld, movableOperations, west } from '../support/failover-world.ts';

describe('a human decides', () => {
  const approve = movableOperations({ mode: 'approve' });
  const asked = async (world: FailoverWorld, answers: Partial<Record<string, () => Promise<void>>>, plan?: FailoverPlan) =>
    runFailover(world, plan ?? (await world.plan({ needsApproval: true })), { onState: async (state) => answers[state]?.() });

  it('that it may start', async () => {
    const world = await lostEast({ operations: approve });
    const { end, states } = await asked(world, { 'Wait for the answer to start': () => world.answer('alice') });
    expect(end).toBe('Failover complete');
    expect(states).toContain('Ask a human to start');
  });

  it('that it may not', async () => {
    const world = await lostEast({ operations: approve });
    const { end } = await asked(world, { 'Wait for the answer to start': () => world.answer('alice', 'rejected') });
    expect(end).toBe('Rolled back: the old primary leads');
    expect(await leads(world)).toBe(`active 7 ${east}`);
  });

  it('and whoever asked is not that human', async () => {
    const world = await lostEast({ operations: approve });
    const plan = await world.plan({ needsApproval: true, requestedBy: 'alice' });
    expect(await asked(world, { 'Wait for the answer to start': () => world.answer('alice') }, plan)).toMatchObject({
      end: 'Rolled back: the old primary leads',
    });
  });

  it('or does not answer: the question expires', async () => {
    const world = await lostEast({ operations: approve });
    const start = world.clock.now().getTime();
    const { end } = await asked(world, {});
    expect(end).toBe('Rolled back: the old primary leads');
    expect((world.clock.now().getTime() - start) / 1000).toBeGreaterThanOrEqual(approve.failover.approvals.expireAfter);
  });

  const overBudget = async () => {
    const world = await failoverWorld();
    for (const id of world.databases) world.server(id, west).set({ streaming: false });
    world.clock.advance(3 * 86_400);
    for (const id of world.databases) {
      const { lease } = world.server(id, east).facts();
      world.server(id, east).set({ lease: { ...lease, untilMicros: (world.clock.now().getTime() + 20_000) * 1000 } });
      expect(world.server(id, east).write()).toBe(true);
    }
    world.loseEast();
    await world.observe();
    return world;
  };

  it('that the loss is acceptable', async () => {
    const world = await overBudget();
    const { end, states } = await asked(world, { 'Wait for the answer about the loss': () => world.answer('bob') }, await world.plan());
    expect(end).toBe('Failover complete');
    expect(states).toContain('Ask a human to accept the loss');
  });

  it('that the loss is not acceptable: the lease is given back', async () => {
    const world = await overBudget();
    const no = { 'Wait for the answer about the loss': () => world.answer('bob', 'rejected') };
    expect(await asked(world, no, await world.plan())).toMatchObject({ end: 'Rolled back: the old primary leads' });
    expect(await leads(world)).toBe(`active 9 ${east}`);
  });

  it('when nobody knows what is lost', async () => {
    const world = await lostEast();
    const votes = await world.ports.coordination.votes();
    for (const vote of votes) await world.ports.coordination.castVote({ ...vote, positions: [] });
    const { states } = await asked(world, { 'Wait for the answer about the loss': () => world.answer('bob') }, await world.plan());
    expect(states).toContain('Ask a human to accept the loss');
  });

  it('that the old primary is off, where the fence is not complete', async () => {
    const world = await lostEast({ record: { fenced: false } });
    const answers = {
      'Wait for the answer to start': () => world.answer('alice'),
      'Wait for the answer whether it is off': () => world.answer('bob'),
    };
    const { end, states } = await asked(world, answers, await world.plan());
    expect(end).toBe('Failover complete');
    expect(states).toContain('Ask a human whether the old primary is off');
  });

  it('the commit and the claim look for the agreement themselves', async () => {
    const world = await overBudget();
    const plan = await world.plan();
    expect(await world.step('claim-epoch', { plan: { ...plan, needsApproval: true } })).toMatchObject({ status: 'refused' });
    const claimed = await world.step('claim-epoch', { plan });
    const measured = await world.step('measure-loss', await world.step('await-fence', claimed));
    expect(measured.status).toBe('over-budget');
    expect(await world.step('commit-promotion', { ...measured, status: 'within-budget' })).toMatchObject({ status: 'refused' });
  });
});
