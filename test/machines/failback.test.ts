import { beforeAll, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId } from '../../functions/common/ids.ts';
import type { FailbackRequest } from '../../functions/failover/failback/models.ts';
import { requestFailback } from '../../functions/failover/failback/request-failback.ts';
import { type CoordinationRecord, Epoch, FailoverPlan } from '../../functions/failover/models.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { type Definition, parseDefinition } from '../../simulation/machine/definition.ts';
import { type Ending, execute } from '../../simulation/machine/interpreter.ts';
import { east, failoverWorld, movableOperations, west } from '../support/failover-world.ts';

let definition: Definition;
beforeAll(() => {
  definition = parseDefinition(synthesizedMachines(movableOperations()).find(({ name }) => name === 'failback')?.definition);
});

const hms = DatabaseId.parse('hms');
const epoch = Epoch.parse(8);
const broken = () => new ServiceUnavailable('it does not answer');

/** After a failover to the standby Region; the lost one is back, its databases as they were and closed. */
async function lostAndBack() {
  const world = await failoverWorld();
  const record = await world.ports.coordination.read();
  if (!record) throw new Error('no record');
  await world.ports.coordination.replace({ ...record, holder: west, epoch });
  for (const id of world.databases) {
    const { lease } = world.server(id, east).facts();
    world.server(id, east).set({ lease: { ...lease, epoch, untilMicros: 0, closedFor: epoch } });
    // Aurora makes its old primary a secondary by itself; RDS leaves it as it was.
    if (id !== hms) world.server(id, east).set({ role: 'replica', follows: west, streaming: true });
    const { follows: _, ...replica } = world.server(id, west).facts();
    const untilMicros = (world.clock.now().getTime() + 90 * 86_400_000) * 1000;
    world.server(id, west).set({ ...replica, role: 'primary', streaming: false, lease: { epoch, holder: west, untilMicros } });
    expect(world.server(id, west).write()).toBe(true);
  }
  const { executions } = world.ports;
  const { describe: asStarted } = executions;
  const ended = new Map<string, 'succeeded' | 'failed'>();
  executions.describe = async (ref) => {
    const status = ended.get(ref.name);
    return status ? { status } : asStarted(ref);
  };
  return { ...world, endExecution: (name: string, status: 'succeeded' | 'failed') => void ended.set(name, status) };
}
type World = Awaited<ReturnType<typeof lostAndBack>>;

async function requestIn(world: World, handOver = true): Promise<FailbackRequest> {
  const { operations, ports, clock } = world;
  const record = await ports.coordination.read();
  const requested = requestFailback({ operations, record, handOver, requestedBy: 'alice', reason: 'it is back', now: clock.now() });
  if (requested.kind === 'refused') throw new Error(requested.because);
  return requested.request;
}

interface Around {
  onState?(state: string): Promise<void> | void;
  before?(step: string): Promise<void> | void;
  /** The process dies in the state of that number: before its step runs, or after it ran and before anybody heard of it. */
  readonly dies?: { readonly at: number; readonly when: 'before' | 'after' };
  /** Instead of a step that needs real servers; the others are the real ones. */
  readonly instead?: Readonly<Record<string, (record: Readonly<Record<string, unknown>>) => unknown>>;
}

const never = () => new Promise<never>(() => {});

/** What the steps that read whole databases find when all is well. */
const read: Around['instead'] = {
  'list-lost-writes': (record) => ({ ...record, status: 'listed', lostRows: 3 }),
  'prove-replica': (record) => ({ ...record, status: 'proven' }),
};

async function run(world: World, request: FailbackRequest, around: Around = {}) {
  const states: string[] = [];
  let die = () => {};
  const death = new Promise<'died'>((resolve) => {
    die = () => resolve('died');
  });
  const dead = (when: 'before' | 'after') => {
    if (around.dies?.when !== when || around.dies.at !== states.length - 1) return undefined;
    die();
    return never();
  };
  const enter = async () => {
    await around.onState?.(states.at(-1) ?? '');
    await dead('before');
  };
  const execution = execute(
    definition,
    { request },
    {
      async invoke(operation, record) {
        await enter();
        await around.before?.(operation);
        const instead = { ...read, ...around.instead }[operation];
        const result = instead ? instead(record as Readonly<Record<string, unknown>>) : await world.step(operation, record);
        await dead('after');
        return result;
      },
      async wait(seconds) {
        await enter();
        world.clock.advance(seconds);
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

/** The machine `failover` does what it was started for, as soon as failback waits for it. */
const handsOver = (world: World, how: 'done' | 'rolled-back' | 'not-begun' = 'done'): Around => ({
  async onState(state) {
    const [started] = world.ports.executions.started;
    if (state !== 'Wait for the hand-over' || !started) return;
    await endHandOver(world, how);
  },
});

async function endHandOver({ ports, endExecution }: World, how: 'done' | 'rolled-back' | 'not-begun'): Promise<void> {
  const started = ports.executions.started.at(-1);
  const record = await ports.coordination.read();
  if (!started || !record) throw new Error('nothing was started');
  const { plan } = started.input as { readonly plan: unknown };
  const { to, from, epoch: next } = FailoverPlan.parse(plan);
  endExecution(started.name, how === 'done' ? 'succeeded' : 'failed');
  const moved: Partial<CoordinationRecord> = how === 'done' ? { epoch: next, holder: to } : { epoch: Epoch.parse(next + 1), holder: from };
  if (how !== 'not-begun' && record.epoch === epoch) await ports.coordination.replace({ ...record, ...moved });
}

const leads = async ({ ports }: World) => {
  const record = await ports.coordination.read();
  return `${record?.phase} ${record?.epoch} ${record?.holder}`;
};
const stillLeads = `active 8 ${west}`;
const reportOf = async ({ ports }: World, request: FailbackRequest) => {
  const [key = ''] = await ports.reports.list(west, `failbacks/000008/${request.failbackId}`);
  const bytes = await ports.reports.get(west, key);
  return bytes && JSON.parse(Buffer.from(bytes).toString());
};

async function unpairedActs({ ports }: World): Promise<readonly string[]> {
  const acts = new Map<string, string[]>();
  for (const { actId, phase } of await ports.auditLog.recent(new Date(0), 10_000)) acts.set(actId, [...(acts.get(actId) ?? []), phase]);
  return [...acts].filter(([, phases]) => [...phases].sort().join() !== 'intent,outcome').map(([id]) => id);
}

describe('failback, when all is well', () => {
  it('keeps the old data, rebuilds, proves, hands over and tells', async () => {
    const world = await lostAndBack();
    const request = await requestIn(world);
    const { states, end, succeeded } = await run(world, request, handsOver(world));
    expect({ end, succeeded }).toEqual({ end: 'Failed back', succeeded: true });
    expect([...new Set(states)].filter((state) => !/^(Wait|Back,|Is every|Is it|Streaming,|Is the lead|Does|Done)/.test(state))).toEqual([
      'Is the old Region back?',
      'List the writes nobody else got',
      "Keep the old primary's data",
      'Rebuild the old Region as a replica',
      'Is the replica streaming?',
      'Prove the replica equal',
      'Hand the lease over',
      'Has the hand-over ended?',
      'Record how it ended',
      'Failed back',
    ]);
    expect(await leads(world)).toBe(`active 9 ${east}`);
    expect(world.ports.replicas.keptAside(east)).toEqual(['hms-primary-old-8']);
    expect(world.server(hms, east).facts()).toMatchObject({ role: 'replica', follows: west });
    const [point] = await world.ports.recoveryPoints.list(hms);
    expect(point).toMatchObject({ kind: 'emergency', locations: [{ region: east, role: 'home' }] });
    expect(await world.ports.databases.describeSnapshot({ region: east, snapshotId: point?.id ?? '' })).toMatchObject({
      status: 'available',
    });
    expect(world.ports.executions.started).toMatchObject([
      { region: east, machine: 'failover', name: 'failover-9', input: { plan: { kind: 'switchover', from: west, to: east, epoch: 9 } } },
    ]);
    expect(world.ports.notices.published).toMatchObject([{ region: west, severity: 3, subject: `Failback to ${east} is complete` }]);
    expect(await reportOf(world, request)).toMatchObject({ complete: true, lostRows: 3 });
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('leaves the lead where it is when that was asked for', async () => {
    const world = await lostAndBack();
    const { end, states } = await run(world, await requestIn(world, false));
    expect(end).toBe('Failed back');
    expect(states).not.toContain('Wait for the hand-over');
    expect(world.ports.executions.started).toEqual([]);
    expect(await leads(world)).toBe(stillLeads);
  });

  it('waits for the Region, for its guardian to close it, and reads nothing of it before', async () => {
    const world = await lostAndBack();
    const { lease } = world.server(hms, east).facts();
    const until = (minutes: number) => (world.clock.now().getTime() + minutes * 60_000) * 1000;
    world.server(hms, east).set({ reachable: false, lease: { epoch: Epoch.parse(7), holder: east, untilMicros: until(25) } });
    let looks = 0;
    const { end } = await run(world, await requestIn(world), {
      ...handsOver(world),
      before(step) {
        if (step === 'await-old-region' && ++looks === 5) world.server(hms, east).set({ reachable: true });
        if (step === 'await-old-region' && looks === 20) world.server(hms, east).set({ lease });
        if (step === 'list-lost-writes') expect(looks).toBe(20);
      },
    });
    expect(end).toBe('Failed back');
  });

  it('waits for as long as the service needs to move the old primary aside', async () => {
    const world = await lostAndBack();
    for (let busy = 0; busy < 30; busy++) world.ports.replicas.failNext('rebuild', new ServiceUnavailable('it is being renamed'));
    const { end, states } = await run(world, await requestIn(world), handsOver(world));
    expect(end).toBe('Failed back');
    expect(states.filter((state) => state === 'Wait until the old primary is moved aside')).toHaveLength(30);
  });

  it('waits until the replica has nearly everything', async () => {
    const world = await lostAndBack();
    let lookedAt = 0;
    const { end, states } = await run(world, await requestIn(world), {
      async onState(state) {
        await handsOver(world).onState?.(state);
        if (state !== 'Is the replica streaming?' || world.server(hms, east).facts().work) return;
        if (++lookedAt === 1) {
          // Nothing reaches it any more, and its primary is written on.
          world.server(hms, east).set({ streaming: false });
          world.clock.advance(600);
          expect(world.server(hms, west).write()).toBe(true);
        }
        if (lookedAt === 4) world.server(hms, east).set({ streaming: true, position: world.server(hms, west).facts().position });
      },
    });
    expect(end).toBe('Failed back');
    expect(lookedAt).toBeGreaterThanOrEqual(4);
    expect(states.indexOf('Prove the replica equal')).toBeGreaterThan(states.lastIndexOf('Wait for the replica'));
  });

  it('goes on listing and proving in as many runs as that takes', async () => {
    const world = await lostAndBack();
    let lists = 0;
    let proofs = 0;
    const { end } = await run(world, await requestIn(world), {
      ...handsOver(world),
      instead: {
        'list-lost-writes': (record) => ({ ...record, status: ++lists < 4 ? 'listing' : 'listed' }),
        'prove-replica': (record) => ({ ...record, status: ++proofs < 3 ? 'proving' : 'proven' }),
      },
    });
    expect({ end, lists, proofs }).toEqual({ end: 'Failed back', lists: 4, proofs: 3 });
  });

  it('tries again what may pass', async () => {
    const world = await lostAndBack();
    const failures = new Map<string, number>();
    const { end } = await run(world, await requestIn(world), {
      ...handsOver(world),
      before(step) {
        failures.set(step, (failures.get(step) ?? 0) + 1);
        if ((failures.get(step) ?? 0) <= 2) throw broken();
      },
    });
    expect(end).toBe('Failed back');
  });
});

describe('failback stops, and the primary is as it was', () => {
  const steps = [
    'await-old-region',
    'list-lost-writes',
    'keep-old-primary',
    'rebuild-old-region',
    'await-replica',
    'prove-replica',
    'hand-over',
  ];

  it.each([...steps, 'await-hand-over'])('when "%s" fails for good', async (step) => {
    const world = await lostAndBack();
    const request = await requestIn(world);
    const { end, succeeded } = await run(world, request, {
      before(each) {
        if (each === step) throw new TypeError('a defect');
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Stopped: the primary is as it was', succeeded: false });
    expect(await leads(world)).toBe(stillLeads);
    expect(world.server(hms, west).write()).toBe(true);
    expect(await reportOf(world, request)).toMatchObject({ complete: false, stoppedBy: expect.stringContaining('TypeError') });
    expect(world.ports.notices.published).toMatchObject([{ severity: 2, subject: `Failback to ${east} stopped` }]);
    if (steps.slice(0, 3).includes(step)) expect(world.ports.replicas.keptAside(east)).toEqual([]);
    expect(await unpairedActs(world)).toEqual([]);
  });

  it.each([...steps.filter((step) => !['keep-old-primary', 'list-lost-writes', 'prove-replica'].includes(step))])(
    'when somebody moves the lead before "%s"',
    async (step) => {
      const world = await lostAndBack();
      const { end } = await run(world, await requestIn(world), {
        async before(each) {
          if (each !== step) return;
          const record = await world.ports.coordination.read();
          if (record) await world.ports.coordination.replace({ ...record, epoch: Epoch.parse(11), holder: east });
        },
      });
      expect(end).toBe('Stopped: the primary is as it was');
      expect(world.ports.executions.started).toEqual([]);
    },
  );

  it('when a replica is not equal: nothing is handed over to it', async () => {
    const world = await lostAndBack();
    const { end } = await run(world, await requestIn(world), {
      instead: { 'prove-replica': (record) => ({ ...record, status: 'stopped', says: 'public.patient differs' }) },
    });
    expect(end).toBe('Stopped: the primary is as it was');
    expect(world.ports.executions.started).toEqual([]);
  });

  it('when the backup of the old primary fails: nothing is built over it', async () => {
    const world = await lostAndBack();
    const request = await requestIn(world);
    const { end } = await run(world, request, {
      async onState(state) {
        if (state !== 'Wait until it is stored') return;
        const [point] = await world.ports.recoveryPoints.list(hms);
        world.ports.databases.setSnapshot({ region: east, snapshotId: point?.id ?? '' }, { databaseId: hms, failed: true });
      },
    });
    expect(end).toBe('Stopped: the primary is as it was');
    expect(world.ports.replicas.keptAside(east)).toEqual([]);
    expect(world.server(hms, east).facts().role).toBe('primary');
  });

  it.each(['rolled-back', 'not-begun'] as const)('when the hand-over was %s', async (how) => {
    const world = await lostAndBack();
    const { end } = await run(world, await requestIn(world), handsOver(world, how));
    expect(end).toBe('Stopped: the primary is as it was');
    expect((await world.ports.coordination.read())?.holder).toBe(west);
    expect(world.ports.notices.published.at(-1)?.text).toContain('has a proven replica');
  });

  it('when the Region does not come back in half a day', async () => {
    const world = await lostAndBack();
    world.server(hms, east).set({ reachable: false });
    const start = world.clock.now().getTime();
    const { end } = await run(world, await requestIn(world));
    expect(end).toBe('Stopped: the primary is as it was');
    const hours = (world.clock.now().getTime() - start) / 3_600_000;
    expect(hours).toBeGreaterThan(12);
    expect(hours).toBeLessThan(13);
  });

  it('and is no success when its end could not be recorded', async () => {
    const world = await lostAndBack();
    const { end, succeeded } = await run(world, await requestIn(world), {
      ...handsOver(world),
      before(step) {
        if (step === 'record-failback') throw broken();
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Failback not recorded', succeeded: false });
  });
});

describe('failback that died is started again with the same request', () => {
  it('from every state, before and after its step: it ends the same, and nothing is done twice', async () => {
    const reference = await lostAndBack();
    const { states } = await run(reference, await requestIn(reference), handsOver(reference));
    for (const when of ['before', 'after'] as const) {
      for (const at of states.keys()) {
        const world = await lostAndBack();
        const request = await requestIn(world);
        await run(world, request, { ...handsOver(world), dies: { at, when } });
        const again = await run(world, request, handsOver(world));
        const seen = `${when} ${states[at]}`;
        expect(await leads(world), seen).toBe(`active 9 ${east}`);
        expect(world.ports.executions.started, seen).toHaveLength(1);
        expect(world.ports.replicas.keptAside(east), seen).toEqual(['hms-primary-old-8']);
        expect(await world.ports.recoveryPoints.list(hms), seen).toHaveLength(1);
        expect(again.end, seen).toBe('Failed back');
        expect(await reportOf(world, request), seen).toMatchObject({ complete: true });
        expect(await world.ports.reports.list(west, 'failbacks/'), seen).toHaveLength(2);
      }
    }
  });
});
