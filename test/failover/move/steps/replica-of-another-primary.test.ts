import { describe, expect, test } from 'vitest';
import { Epoch, type FailoverRecord } from '../../../../functions/failover/models.ts';
import { east, type FailoverWorld, failoverWorld, west } from '../../../support/failover-world.ts';

const seven = Epoch.parse(7);

/**
 * The primary Region leads in epoch 7, in which a restored copy took the place of its first database. The replica of the standby Region stayed with the damaged
 * one: that was closed for epoch 7, and goes on under another name.
 */
async function replaced({ closedForIt = true } = {}) {
  const world = await failoverWorld({ record: { primarySince: seven } });
  const [first] = world.databases;
  if (!first) throw new Error('no database');
  const lease = closedForIt ? { epoch: seven, untilMicros: 0, closedFor: seven } : { epoch: Epoch.parse(6), holder: east, untilMicros: 1 };
  world.server(first, west).set({ follows: undefined, streaming: false, lease });
  return { world, first };
}

async function measured(world: FailoverWorld, kind: 'failover' | 'switchover'): Promise<FailoverRecord> {
  const plan = await world.plan({ kind });
  const record = await world.step('claim-epoch', { plan });
  if (kind === 'switchover') await world.closeEast(plan.epoch);
  const fenced = await world.step('await-fence', { ...record, fenceWaitSeconds: 0 });
  return world.step('measure-loss', fenced);
}

describe('a replica that stayed with a database that was replaced', () => {
  test('nobody can tell what promoting it would lose: people are asked, and told why', async () => {
    const { world, first } = await replaced({ closedForIt: false });
    await world.observe();
    world.loseEast();
    const record = await measured(world, 'failover');
    expect(record.status).toBe('over-budget');
    expect(record.says).toContain(`us-west-2's replica of ${first} follows a primary of epoch 6, not 7`);
    const loss = record.losses.find(({ databaseId }) => databaseId === first);
    expect(loss).toBeDefined();
    expect(loss).not.toHaveProperty('lastKnownAgeSeconds');
    // The others follow what leads.
    expect(record.losses.filter(({ lastKnownAgeSeconds }) => lastKnownAgeSeconds === undefined)).toHaveLength(1);
  });

  test('that it received the closing of what was replaced does not make it a follower of the copy', async () => {
    const { world } = await replaced();
    await world.observe();
    world.loseEast();
    expect(await measured(world, 'failover')).toMatchObject({
      status: 'over-budget',
      says: expect.stringContaining('follows what was closed for epoch 7'),
    });
  });

  test('a planned change refuses at once', async () => {
    const { world } = await replaced();
    expect(await measured(world, 'switchover')).toMatchObject({
      status: 'refused',
      says: expect.stringContaining('not what was opened in it'),
    });
  });

  test('one that follows the copy is measured as ever', async () => {
    const { world, first } = await replaced();
    const { lease, position } = world.server(first, east).facts();
    world.server(first, west).set({ follows: east, streaming: true, lease, position });
    await world.observe({ knownSecondsAgo: 5 });
    world.loseEast();
    expect((await measured(world, 'failover')).says).not.toContain('follows');
  });
});
