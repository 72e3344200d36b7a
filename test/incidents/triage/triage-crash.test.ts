import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Incident, Signal } from '../../../functions/incidents/models.ts';
import { type Death, watchedRun } from '../../support/dying-run.ts';
import { aSignal } from '../../support/incidents.ts';
import { ringing, type TriageWorld, triageWorld } from '../../support/triage-world.ts';

/** Opens, joins, raises, is well, comes back, is explained by another, is answered, is silenced. */
function storyIn(world: TriageWorld): readonly Signal[] {
  const signal = (after: number, what: Parameters<typeof aSignal>[0] = {}) => aSignal({ ...what, at: world.at(after) });
  return [
    signal(0, { severity: 3 }),
    signal(5, { alarm: 'HighLatency', severity: 1 }),
    signal(6, { alarm: 'HighLatency', severity: 1, action: 'acknowledge' }),
    signal(10, { subject: 'imaging' }),
    signal(20, { subject: 'imaging', action: 'resolve' }),
    signal(30, { subject: 'imaging' }),
    signal(31, { subject: 'quiet' }),
    signal(32, { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 }),
    signal(33, { subject: 'explained' }),
    signal(34, { subject: 'never-rang', action: 'resolve' }),
    signal(40, { action: 'resolve' }),
  ];
}

const inhibitions = [{ source: 'RegionDown', silences: ['ServiceDown'] }];
const twoPeople = { acknowledgements: { '1': 2 } };

async function newWorld(): Promise<TriageWorld> {
  const policies = triageWorld().operations.incidents.policies.map((policy) => ({ ...policy, ...twoPeople }));
  const world = triageWorld({ policy: { inhibitions, policies } });
  await world.silence('sil-quiet', 0, 600, { subject: aSignal({ subject: 'quiet' }).subject });
  return world;
}

/** What is stored, without what counts writes. */
async function stored(world: TriageWorld) {
  const incidents = await world.ports.incidents.recent(new Date(0), 100);
  const withLines = incidents.map(async ({ version: _, ...incident }: Incident) => {
    return { ...incident, lines: await world.ports.incidents.timeline(incident.id) };
  });
  return {
    incidents: await Promise.all(withLines),
    held: (await world.ports.incidents.heldBack()).map(({ version: _, ...alarm }) => alarm),
  };
}

/** The queue brings a batch again until it is done, cut as it likes. @returns how many runs died */
async function through(
  world: TriageWorld,
  signals: readonly Signal[],
  deaths: readonly Death[],
  sizes: readonly number[],
): Promise<number> {
  let died = 0;
  const queue = [...signals];
  for (let run = 0; queue.length > 0; run++) {
    const batch = queue.splice(0, sizes[run % sizes.length]);
    const watched = watchedRun(world.ports, { death: deaths[run] });
    await world.triage(batch, watched.ports).catch(() => {});
    if (watched.died()) {
      died++;
      queue.unshift(...batch);
    }
  }
  return died;
}

const deaths = fc.array(fc.record({ call: fc.integer({ min: 1, max: 60 }), when: fc.constantFrom('before', 'after') }), { maxLength: 6 });
const cuts = fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 1, maxLength: 6 });

describe('a batch that is cut off', () => {
  it('comes to the same when it is repeated, at whichever call of a port it dies', async () => {
    const undisturbed = await newWorld();
    const signals = storyIn(undisturbed);
    const watched = watchedRun(undisturbed.ports);
    await undisturbed.triage(signals, watched.ports);
    const expected = await stored(undisturbed);
    expect(ringing(await undisturbed.open())).toEqual([
      'HighLatency of orders: 1',
      'RegionDown of us-east-1: 1',
      'ServiceDown of explained: 2',
      'ServiceDown of imaging: 2',
    ]);
    for (let call = 1; call <= watched.calls.length; call++) {
      for (const when of ['before', 'after'] as const) {
        const world = await newWorld();
        expect(await through(world, signals, [{ call, when }], [signals.length])).toBe(1);
        expect(await stored(world), `died ${when} ${watched.calls[call - 1]} (call ${call})`).toEqual(expected);
        expect(world.told().toSorted()).toEqual(undisturbed.told().toSorted());
        for (const { signalId } of signals) expect(await world.outcome({ signalId })).toBeDefined();
      }
    }
  });

  it('comes to the same however often batches die and however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(deaths, cuts, async (all, sizes) => {
        const undisturbed = await newWorld();
        const signals = storyIn(undisturbed);
        await through(undisturbed, signals, [], sizes);
        const world = await newWorld();
        const died = await through(world, signals, all, sizes);
        expect(died).toBeLessThanOrEqual(all.length);
        expect(ringing(await world.open())).toEqual(ringing(await undisturbed.open()));
        const told = new Set(world.told());
        for (const { id, generation } of await world.open()) expect(told).toContain(`${id}-${generation}`);
        for (const { signalId } of signals) expect(await world.outcome({ signalId })).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });

  it('leaves an incident to the minute that it could not have told of', async () => {
    const world = await newWorld();
    const watched = watchedRun(world.ports);
    await world.triage(storyIn(world).slice(0, 1), watched.ports);
    const create = watched.calls.indexOf('incidents.create') + 1;
    const other = await newWorld();
    const dying = watchedRun(other.ports, { death: { call: create, when: 'after' } });
    await other.triage(storyIn(other).slice(0, 1), dying.ports).catch(() => {});
    expect(other.told()).toEqual([]);
    const { releaseHeldAlarmsTask } = await import('../../../functions/incidents/triage/release-held-alarms.ts');
    await other.pass(releaseHeldAlarmsTask);
    expect(other.told()).toHaveLength(1);
  });
});

describe('consumers that meet', () => {
  it('on one alarm, at any call, leave it as it is in the end', async () => {
    const probe = await newWorld();
    const calls = watchedRun(probe.ports);
    const rang = (world: TriageWorld) => aSignal({ at: world.at(0) });
    await probe.triage([rang(probe)], calls.ports);
    for (let call = 1; call <= calls.calls.length; call++) {
      const world = await newWorld();
      const well = aSignal({ at: world.at(5), action: 'resolve' });
      const watched = watchedRun(world.ports, {
        async meanwhile(at) {
          if (at === call) await world.triage([well]);
        },
      });
      await world.triage([rang(world)], watched.ports);
      expect(await world.open(), `the other one came before ${calls.calls[call - 1]}`).toEqual([]);
      expect(await world.outcome(well)).toBeDefined();
    }
  });

  it('on one service, at any call, put both alarms on one incident', async () => {
    const probe = await newWorld();
    const calls = watchedRun(probe.ports);
    await probe.triage([aSignal({ at: probe.at(0) })], calls.ports);
    for (let call = 1; call <= calls.calls.length; call++) {
      const world = await newWorld();
      const other = aSignal({ at: world.at(1), alarm: 'HighLatency', severity: 1 });
      const watched = watchedRun(world.ports, {
        async meanwhile(at) {
          if (at === call) await world.triage([other]);
        },
      });
      await world.triage([aSignal({ at: world.at(0) })], watched.ports);
      const open = await world.open();
      expect(open).toHaveLength(1);
      expect(open[0]).toMatchObject({ severity: 1 });
      expect(ringing(open)).toEqual(['HighLatency of orders: 1', 'ServiceDown of orders: 2']);
      expect(world.told()).toContain(`${open[0]?.id}-${open[0]?.generation}`);
    }
  });
});

describe('the end of a silence that is cut off', () => {
  it('tells each survivor once, at whichever call it dies', async () => {
    const silenced = async () => {
      const world = triageWorld();
      await world.silence('sil-all', 0, 600);
      await world.triage([
        aSignal({ at: world.at(0) }),
        aSignal({ at: world.at(1), subject: 'imaging' }),
        aSignal({ at: world.at(2), alarm: 'HighLatency' }),
      ]);
      world.clock.advance(600);
      return world;
    };
    const undisturbed = await silenced();
    const watched = watchedRun(undisturbed.ports);
    await undisturbed.release(watched.ports);
    const expected = ringing(await undisturbed.open());
    expect(expected).toHaveLength(3);
    for (let call = 1; call <= watched.calls.length; call++) {
      for (const when of ['before', 'after'] as const) {
        const world = await silenced();
        await world.release(watchedRun(world.ports, { death: { call, when } }).ports).catch(() => {});
        world.clock.advance(60);
        await world.release();
        expect(ringing(await world.open())).toEqual(expected);
        expect(await world.ports.incidents.heldBack()).toEqual([]);
        const open = await world.open();
        expect(open).toHaveLength(2);
        expect(world.told().toSorted(), `died ${when} ${watched.calls[call - 1]}`).toEqual(open.map(({ id }) => `${id}-1`).toSorted());
      }
    }
  });
});
