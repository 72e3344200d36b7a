import { beforeEach, describe, expect, it } from 'vitest';
import type { Region } from '../../../functions/common/ids.ts';
import { claim } from '../../../functions/failover/leadership/claim.ts';
import { isActive } from '../../../functions/failover/lease/active-region.ts';
import { memoryWorld } from '../../support/host.ts';
import { testOperations } from '../../support/operations.ts';
import { at, epoch, led, operations, planned, policy, primary, standby, tertiary } from '../support.ts';

let world: ReturnType<typeof memoryWorld>;
beforeEach(() => {
  world = memoryWorld({ start: at(0) });
});
const active = async (given = operations): Promise<readonly Region[]> => {
  const { clock, ports } = world;
  const regions = [primary, standby, tertiary];
  const answers = await Promise.all(
    regions.map((region) => isActive({ operations: given, region, clock, coordination: ports.coordination })),
  );
  return regions.filter((_, index) => answers[index]);
};

describe('the active Region', () => {
  it('is the configured primary before anybody has led', async () => {
    expect(await active()).toEqual([primary]);
  });

  it('is the one that leads', async () => {
    await world.ports.coordination.create(led({ holder: standby, version: 0 }));
    expect(await active()).toEqual([standby]);
  });

  it('is none while leadership is being moved', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    const taken = claim(led({ version: 0 }), planned());
    if (taken.kind !== 'write') throw new Error('not claimed');
    const claimed = await world.ports.coordination.replace(taken.record);
    expect(await active()).toEqual([]);
    await world.ports.coordination.replace({ ...claimed, phase: 'promoting' });
    expect(await active()).toEqual([]);
  });

  it('is the configured primary where failover is off, without asking anybody', async () => {
    world.ports.coordination.setAvailable(false);
    expect(await active(testOperations({ failover: { ...policy, mode: 'off' } }))).toEqual([primary]);
  });

  it('cannot be told from a table that does not answer, nor from a lease that ended minutes ago', async () => {
    await world.ports.coordination.create(led({ version: 0, epoch: epoch(3) }));
    world.clock.advance(320);
    expect(await active()).toEqual([primary]);
    world.clock.advance(1);
    await expect(active()).rejects.toMatchObject({ name: 'ServiceUnavailable', message: expect.stringContaining('epoch 3') });
    world.ports.coordination.setAvailable(false);
    await expect(active()).rejects.toMatchObject({ name: 'ServiceUnavailable' });
  });
});
