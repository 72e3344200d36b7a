import { beforeAll, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, type Region } from '../../functions/common/ids.ts';
import { type FailoverPlan, Hold } from '../../functions/failover/models.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { type Definition, parseDefinition } from '../../simulation/machine/definition.ts';
import { type Ending, execute } from '../../simulation/machine/interpreter.ts';
import { east, type FailoverWorld, failoverWorld, movableOperations, west } from '../support/failover-world.ts';

let definition: Definition;
beforeAll(() => {
  const found = synthesizedMachines(movableOperations()).find(({ name }) => name === 'failover');
  definition = parseDefinition(found?.definition);
});

/** What happens around the machine: when a state is entered, and before and after a step runs. */
interface Around {
  onState?(state: string): Promise<void> | void;
  before?(step: string): Promise<void> | void;
  after?(step: string): Promise<void> | void;
  /** The process that carries the execution dies in the state of that number: before its step runs, or after the step ran and before anybody heard of it. */
  readonly dies?: { readonly at: number; readonly when: 'before' | 'after' };
}

const never = () => new Promise<never>(() => {});

/** Runs the synthesized machine over the world; time passes only in its waits. */
async function run(world: FailoverWorld, plan: FailoverPlan, around: Around = {}) {
  const states: string[] = [];
  let die = () => {};
  const death = new Promise<'died'>((resolve) => {
    die = () => resolve('died');
  });
  const diesNow = (when: 'before' | 'after') => around.dies?.when === when && around.dies.at === states.length - 1;
  const entered = async () => {
    await around.onState?.(states.at(-1) ?? '');
    if (!diesNow('before')) return;
    die();
    await never();
  };
  const execution = execute(
    definition,
    { plan },
    {
      async invoke(operation, record) {
        await entered();
        await around.before?.(operation);
        const result = await world.step(operation, record);
        await around.after?.(operation);
        if (!diesNow('after')) return result;
        die();
        return never();
      },
      async wait(count) {
        await entered();
        world.clock.advance(count);
      },
      draw: () => 0.5,
      onState(state) {
        states.push(state);
        if (states.length > 5_000) throw new Error(`it goes round in circles: ${states.slice(-8).join(' > ')}`);
      },
    },
  );
  const ending: Ending | 'died' = await Promise.race([execution, death]);
  return { states, end: ending === 'died' ? 'died' : ending.state, succeeded: ending !== 'died' && ending.status === 'succeeded' };
}

const onOnce = (state: string, act: () => Promise<void> | void): Around => {
  let done = false;
  return {
    async onState(entered) {
      if (entered !== state || done) return;
      done = true;
      await act();
    },
  };
};

/** The Region is lost and the observers have noticed. */
async function lostEast(given: Parameters<typeof failoverWorld>[0] = {}) {
  const world = await failoverWorld(given);
  world.loseEast();
  await world.observe();
  return world;
}

const leads = async ({ ports }: FailoverWorld) => {
  const record = await ports.coordination.read();
  return `${record?.phase} ${record?.epoch} ${record?.holder}`;
};
const writableIn = (world: FailoverWorld, region: Region) => world.databases.map((id) => world.server(id, region).write());
const hms = DatabaseId.parse('hms');
const broken = () => new ServiceUnavailable('it does not answer');

/** Every act has its intent before and its outcome after. */
async function unpairedActs({ ports }: FailoverWorld): Promise<readonly string[]> {
  const events = await ports.auditLog.recent(new Date(0), 10_000);
  const acts = new Map<string, string[]>();
  for (const { actId, phase } of events) acts.set(actId, [...(acts.get(actId) ?? []), phase]);
  return [...acts].filter(([, phases]) => [...phases].sort().join() !== 'intent,outcome').map(([id]) => id);
}

describe('a Region is lost', () => {
  it('moves: the new primary is open, confirmed, told and recorded', async () => {
    const world = await lostEast();
    const canaries = () => world.databases.map((id) => world.server(id, west).facts().position.canary?.seq ?? 0);
    const before = canaries();
    const { states, end, succeeded } = await run(world, await world.plan());
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
    await run(world, await world.plan(), { onState: (state) => void times.set(state, world.clock.now().getTime()) });
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
    const { end } = await run(world, await world.plan(), {
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
    const { end } = await run(world, await world.plan());
    expect(end).toBe('Failover complete');
    expect(await world.ports.capacity.describe({ name: 'orders-api', region: west })).toMatchObject({ wanted: 4, running: 4 });
  });

  it('reports a service that does not come up, and ends all the same', async () => {
    const world = await lostEast();
    world.ports.capacity.setStuck({ name: 'orders-api', region: west }, true);
    const { end } = await run(world, await world.plan());
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
    const { end, succeeded } = await run(world, plan);
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
    expect(await run(world, plan)).toMatchObject({ end: 'Nothing to do' });
  });

  it('when there is no replica to promote: it fails, and nothing was claimed', async () => {
    const world = await lostEast();
    world.server(hms, west).set({ failed: true });
    expect(await run(world, await world.plan())).toMatchObject({ end: 'Rolled back: the old primary leads', succeeded: false });
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
    const { end, succeeded } = await run(world, { ...plan, epoch: epoch as never });
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
    const { end, succeeded } = await run(
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
      await run(
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
    const { end } = await run(
      world,
      await world.plan(),
      onOnce('Promote the replica', () => hold(world)),
    );
    expect(end).toBe('Failover complete');
    expect(await leads(world)).toBe(`active 8 ${west}`);
  });
});

describe('before the point of no return the lease is given back', () => {
  const steps = ['claim-epoch', 'await-fence', 'measure-loss', 'commit-promotion'];

  it.each(steps)('when "%s" fails for good', async (broken) => {
    const world = await lostEast();
    const { end, succeeded } = await run(world, await world.plan(), {
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
    const { end } = await run(world, await world.plan(), {
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
    const { end, states } = await run(world, await world.plan(), {
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
    const { end, succeeded } = await run(world, plan, {
      after(step) {
        if (step === 'commit-promotion') throw new TypeError('the answer was lost');
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Beyond the point of no return: start it again', succeeded: false });
    expect(await leads(world)).toBe(`promoting 8 ${west}`);
    expect(await run(world, plan)).toMatchObject({ end: 'Failover complete' });
  });
});

describe('beyond the point of no return it insists', () => {
  it.each(['promote-replica', 'await-promotion', 'note-beginning', 'open-primary', 'confirm-writes'])(
    'on "%s", whatever happens',
    async (flaky) => {
      const world = await lostEast();
      let attempts = 0;
      const { end } = await run(world, await world.plan(), {
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
    const { end, states, succeeded } = await run(world, await world.plan(), {
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
    const { end } = await run(world, await world.plan(), {
      ...onOnce('Is the new primary up?', () => world.server(hms, west).set({ failed: true })),
    });
    expect(end).toBe('Waiting for a human');
  });

  it('is no success when people could not be told, but the report is written', async () => {
    const world = await lostEast();
    const { end, succeeded } = await run(world, await world.plan(), {
      before(step) {
        if (step === 'tell-people') throw broken();
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Complete, but not told or not recorded', succeeded: false });
    expect(await world.ports.reports.list(west, 'failovers/')).toContain('failovers/000008/report.json');
  });
});

describe('a human decides', () => {
  const approve = movableOperations({ mode: 'approve' });
  const asked = async (world: FailoverWorld, answers: Partial<Record<string, () => Promise<void>>>, plan?: FailoverPlan) =>
    run(world, plan ?? (await world.plan({ needsApproval: true })), { onState: async (state) => answers[state]?.() });

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

describe('a planned change', () => {
  const planned = async () => {
    const world = await failoverWorld();
    return { world, plan: await world.plan({ kind: 'switchover', requestedBy: 'alice' }) };
  };

  it('loses nothing: it waits for the closing mark', async () => {
    const { world, plan } = await planned();
    for (const id of world.databases) world.server(id, west).set({ streaming: false });
    let looks = 0;
    const { end } = await run(world, plan, {
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
    const { end } = await run(world, plan, { after: async (step) => void (step === 'claim-epoch' && (await world.closeEast(8))) });
    expect(end).toBe('Rolled back: the old primary leads');
    expect(await leads(world)).toBe(`active 9 ${east}`);
  });

  it('is given up when the old primary does not say that it closed', async () => {
    const { world, plan } = await planned();
    const { end, states } = await run(world, plan);
    expect(end).toBe('Rolled back: the old primary leads');
    expect(states).not.toContain('Measure what would be lost');
    expect(world.ports.notices.published.at(-1)?.text).toContain(`${east} did not close its databases`);
  });
});

describe('crash anywhere, run again: the same result (P3)', () => {
  it.each(['before', 'after'] as const)('%s every step', async (when) => {
    const whole = await lostEast();
    const { states } = await run(whole, await whole.plan());
    const expected = await leads(whole);
    const points = states.flatMap((state, at) => (['Task', 'Wait'].includes(definition.States[state]?.Type ?? '') ? [{ state, at }] : []));
    expect(new Set(points.map(({ state }) => state)).size).toBeGreaterThan(14);
    for (const { state, at } of points) {
      const world = await lostEast();
      const plan = await world.plan();
      const first = await run(world, plan, { dies: { at, when } });
      const second = await run(world, plan);
      const outcome = { state, first: first.end, second: second.end, leads: await leads(world), writable: writableIn(world, west) };
      const died = when === 'before' || definition.States[state]?.Type === 'Task' ? 'died' : 'Failover complete';
      expect(outcome).toEqual({ state, first: died, second: 'Failover complete', leads: expected, writable: [true, true] });
      const beginning = await world.ports.reports.get(west, 'failovers/000008/beginning.json');
      expect(JSON.parse(Buffer.from(beginning ?? []).toString()).snapshots).toHaveLength(2);
    }
  });

  it('an execution that slept through the next change does nothing', async () => {
    const world = await lostEast();
    const plan = await world.plan();
    const records = new Map<string, unknown>();
    await run(world, plan, { before: (step) => void records.set(step, undefined) });
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
