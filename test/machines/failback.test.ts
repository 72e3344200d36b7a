import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { Epoch } from '../../functions/failover/models.ts';
import {
  broken,
  handsOver,
  hms,
  leads,
  lostAndBack,
  reportOf,
  requestIn,
  run,
  stillLeads,
  unpairedActs,
} from '../support/failback-world.ts';
import { east, west } from '../support/failover-world.ts';

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
        expect(await world.ports.reports.list(west, 'failbacks/'), seen).toHaveLength(3);
      }
    }
  });
});
