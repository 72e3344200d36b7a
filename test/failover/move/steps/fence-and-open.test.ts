import { describe, expect, test } from 'vitest';
import { Conflict, ServiceUnavailable } from '../../../../functions/common/errors.ts';
import { NEVER_LEASED_UNTIL } from '../../../../functions/failover/fence/lease-objects.ts';
import type { FailoverRecord } from '../../../../functions/failover/models.ts';
import { readBeginning } from '../../../../functions/failover/move/beginning.ts';
import { east, type FailoverWorld, failoverWorld, west } from '../../../support/failover-world.ts';

/** Claimed for the standby Region, with nobody who watched the old lease. */
async function claimed(): Promise<{ readonly world: FailoverWorld; readonly record: FailoverRecord }> {
  const world = await failoverWorld();
  world.loseEast();
  await world.observe({ unchangedSeconds: 0 });
  const record = await world.step('claim-epoch', { plan: await world.plan() });
  return { world, record };
}

/** Promoted: all that is left is to note and to open. */
async function promoted() {
  const { world, record } = await claimed();
  const fenced = await world.step('await-fence', { ...record, fenceWaitSeconds: 0 });
  const committed = await world.step('commit-promotion', await world.step('measure-loss', fenced));
  const asked = await world.step('promote-replica', committed);
  world.clock.advance(120);
  return { world, record: await world.step('await-promotion', asked) };
}

async function noted() {
  const { world, record } = await promoted();
  return { world, record: await world.step('note-beginning', record) };
}

describe('waiting for the old lease', () => {
  test('a look counts what it waited itself, and nothing of what passed between two looks', async () => {
    const { world, record } = await claimed();
    expect(record.fenceWaitSeconds).toBe(25);
    const first = await world.step('await-fence', record);
    expect(first).toMatchObject({ status: 'waiting', fenceWaitSeconds: 20 });
    world.clock.advance(3_600);
    expect(await world.step('await-fence', first)).toMatchObject({ status: 'waiting', fenceWaitSeconds: 15 });
  });

  test('a clock that was set back between two looks makes the wait no shorter and no longer', async () => {
    const { world, record } = await claimed();
    const first = await world.step('await-fence', record);
    world.clock.advance(-3_600);
    expect(await world.step('await-fence', first)).toMatchObject({ status: 'waiting', fenceWaitSeconds: 15 });
  });

  test('without knowing how long to wait it waits the whole time', async () => {
    const { world, record } = await claimed();
    const { fenceWaitSeconds: _, ...unknown } = record;
    expect(await world.step('await-fence', unknown)).toMatchObject({ status: 'waiting', fenceWaitSeconds: 20 });
  });

  test('a later execution of the same plan waits the whole time again', async () => {
    const { world, record } = await claimed();
    await world.observe({ unchangedSeconds: 500 });
    expect(await world.step('claim-epoch', { plan: record.plan })).toMatchObject({ status: 'claimed', fenceWaitSeconds: 25 });
  });

  test('a claim whose answer was lost is found, and waited for in full', async () => {
    const world = await failoverWorld();
    world.loseEast();
    await world.observe({ unchangedSeconds: 500 });
    const { coordination } = world.ports;
    const plan = await world.plan();
    const replace = coordination.replace.bind(coordination);
    let lost = false;
    Object.assign(coordination, {
      replace: async (record: Parameters<typeof replace>[0]) => {
        const stored = await replace(record);
        if (lost) return stored;
        lost = true;
        throw new ServiceUnavailable('the answer was lost');
      },
    });
    expect(await world.step('claim-epoch', { plan })).toMatchObject({ status: 'claimed', fenceWaitSeconds: 25 });
    expect(await coordination.read()).toMatchObject({ epoch: 8, phase: 'claimed' });
  });

  test('renewals that come in between only make the claim try again', async () => {
    const world = await failoverWorld();
    world.loseEast();
    await world.observe({ unchangedSeconds: 500 });
    const plan = await world.plan();
    for (const count of [1, 2, 3]) world.ports.coordination.failNext('replace', new Conflict(`renewal ${count}`));
    expect(await world.step('claim-epoch', { plan })).toMatchObject({ status: 'claimed' });
  });
});

describe('opening the new primary', () => {
  const renewals = (world: FailoverWorld) => world.databases.map((id) => world.server(id, west).facts().lease);

  test('the record is written before any lease is given, and after the clocks were read', async () => {
    const { world, record } = await noted();
    const order: string[] = [];
    const { coordination, fences } = world.ports;
    const [replace, open] = [coordination.replace.bind(coordination), fences.open.bind(fences)];
    Object.assign(coordination, {
      replace: (next: Parameters<typeof replace>[0]) => {
        order.push('record');
        return replace(next);
      },
    });
    Object.assign(fences, {
      open: async (...of: Parameters<typeof open>) => {
        const fence = await open(...of);
        const [clock, renew] = [fence.clock.bind(fence), fence.renew.bind(fence)];
        return Object.assign(fence, {
          clock: () => {
            order.push('clock');
            return clock();
          },
          renew: (...lease: Parameters<typeof renew>) => {
            order.push('lease');
            return renew(...lease);
          },
        });
      },
    });
    await world.step('open-primary', record);
    expect(order).toEqual(['clock', 'clock', 'record', 'lease', 'lease']);
  });

  test('each lease counts from its own database clock, whatever the clock here says', async () => {
    const { world, record } = await noted();
    const [first, second] = world.databases;
    if (first) world.server(first, west).set({ clockOffsetMicros: 7_000_000 });
    if (second) world.server(second, west).set({ clockOffsetMicros: -2_000_000 });
    await world.step('open-primary', record);
    const now = world.clock.now().getTime() * 1000;
    expect(renewals(world).map(({ untilMicros }) => untilMicros - now)).toEqual([27_000_000, 18_000_000]);
  });

  test('a second opening renews the record again before it gives a lease: the first write may be older than the clock that it read', async () => {
    const { world, record } = await noted();
    await world.step('open-primary', record);
    const { version } = (await world.ports.coordination.read()) ?? { version: 0 };
    world.clock.advance(15);
    expect(await world.step('open-primary', record)).toMatchObject({ status: 'open' });
    expect(await world.ports.coordination.read()).toMatchObject({ version: version + 1, epoch: 8, phase: 'active', holder: west });
    expect(renewals(world).map(({ untilMicros }) => untilMicros)).toEqual(Array(2).fill((world.clock.now().getTime() + 20_000) * 1000));
  });

  test('no lease is given when the record cannot be written', async () => {
    const { world, record } = await noted();
    for (let race = 0; race < 5; race++) world.ports.coordination.failNext('replace', new ServiceUnavailable('no answer'));
    await expect(world.step('open-primary', record)).rejects.toThrow(ServiceUnavailable);
    expect(renewals(world).map(({ holder }) => holder)).toEqual([east, east]);
  });

  test('a database that has seen a later epoch takes no lease: somebody else moved', async () => {
    const { world, record } = await noted();
    const [first] = world.databases;
    if (first) world.server(first, west).set({ lease: { epoch: 9 as never, untilMicros: 0 } });
    expect(await world.step('open-primary', record)).toMatchObject({ status: 'lost' });
  });

  test('nothing is noted while a lease of another epoch, which came by replication, is open', async () => {
    const { world, record } = await promoted();
    const [first] = world.databases;
    if (!first) throw new Error('no database');
    const { lease } = world.server(first, west).facts();
    world.server(first, west).set({ lease: { ...lease, untilMicros: (world.clock.now().getTime() + 3_000) * 1000 } });
    await expect(world.step('note-beginning', record)).rejects.toThrow(/still holds a lease of epoch 7/);
    world.clock.advance(4);
    expect(await world.step('note-beginning', record)).toMatchObject({ status: 'noted' });
  });

  test('where the history begins is noted before, and the first note stays', async () => {
    const { world, record } = await noted();
    const first = await readBeginning(world.ports.reports, record.plan);
    expect(first?.snapshots.map(({ snapshot }) => snapshot)).toEqual(['1001:1001:', '1001:1001:']);
    await world.step('open-primary', record);
    for (const id of world.databases) expect(world.server(id, west).write()).toBe(true);
    const again = await world.step('note-beginning', record);
    expect(again.snapshots).toEqual(record.snapshots);
    expect(await readBeginning(world.ports.reports, record.plan)).toEqual(first);
  });

  test('the record says fenced only where the new primary has had a lease: one that never had is open for good if it is lost now', async () => {
    for (const [untilMicros, fenced] of [
      [0, true],
      [NEVER_LEASED_UNTIL, false],
    ] as const) {
      const { world, record } = await noted();
      for (const id of world.databases) {
        const { lease } = world.server(id, west).facts();
        world.server(id, west).set({ lease: { ...lease, untilMicros } });
      }
      expect(await world.step('open-primary', record)).toMatchObject({ status: 'open' });
      expect(await world.ports.coordination.read()).toMatchObject({ phase: 'active', fenced });
    }
  });
});
