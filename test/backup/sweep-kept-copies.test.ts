import { describe, expect, it } from 'vitest';
import { sweepOrphans } from '../../functions/backup/sweep-orphans.ts';
import { Epoch } from '../../functions/failover/models.ts';
import { type MemoryWorld, memoryWorld } from '../support/host.ts';
import { testOperations } from '../support/operations.ts';
import { hms, home, standby } from '../support/recovery-points.ts';

const copy = { databaseId: hms, region: home, restoredId: 'cbv-hms-20261121t115000z-recovery' };
const DAY_SECONDS = 86_400;

/** A copy that was restored an hour before it expires. */
async function worldWithCopy(): Promise<MemoryWorld> {
  const world = memoryWorld({ start: '2026-11-21T12:00:00.000Z', operations: testOperations() });
  const expiresAt = new Date('2026-11-21T13:30:00.000Z');
  await world.ports.databases.restoreToTime(new Date('2026-11-21T11:50:00.000Z'), { ...copy, expiresAt });
  world.clock.advance(3600);
  return world;
}

async function sweep(world: MemoryWorld) {
  for (const region of [home, standby]) await world.pass(sweepOrphans, { region });
}

describe('the sweeper and a copy that takes a live database’s place', () => {
  it('removes it when nobody wants it any more', async () => {
    const world = await worldWithCopy();
    world.clock.advance(DAY_SECONDS);
    await sweep(world);
    expect((await world.ports.databases.describeRestored(copy))?.status).toBe('deleting');
  });

  it('leaves it alone from the first act on, however long a person thinks about it, and when it has the name', async () => {
    const world = await worldWithCopy();
    const { replicas, databases } = world.ports;
    for (let call = 0; call < 3; call++) {
      await replicas.prepareSwap(copy);
      world.clock.advance(DAY_SECONDS);
      await sweep(world);
      expect((await databases.describeRestored(copy))?.status).toBe('available');
    }
    for (let call = 0; call < 3; call++) {
      await replicas.swapIn({ ...copy, epoch: Epoch.parse(8) });
      world.clock.advance(DAY_SECONDS);
      await sweep(world);
    }
    expect(await replicas.describe(hms, home)).toMatchObject({ role: 'primary', status: 'available' });
    expect(replicas.keptAside(home)).toEqual(['hms-primary-damaged-8']);
    expect(await databases.listRestored(home)).toEqual([]);
  });
});
