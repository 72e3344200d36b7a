import { beforeEach, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { leaseEndpoint } from '../../../functions/failover/lease/lease-endpoint.ts';
import { type ManualClock, manualClock } from '../../../functions/memory/clock.ts';
import { type MemoryCoordination, memoryCoordination } from '../../../functions/memory/coordination.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { epoch, led, planned, primary, secondsLater, standby, start } from '../support.ts';

/** A clock that passes by itself would let every time limit pass at once. */
function clockThatOnlyAdvances(): ManualClock {
  const clock = manualClock(start);
  return { ...clock, sleep: () => new Promise(() => {}) };
}

describe('the lease endpoint', () => {
  let clock: ManualClock;
  let coordination: MemoryCoordination;
  const asked = (region = primary) => leaseEndpoint({ coordination, region, clock });
  beforeEach(() => {
    clock = clockThatOnlyAdvances();
    coordination = memoryCoordination(memoryItemStore(clock));
  });

  it('is 200 in the Region that holds the lease and 503 in every other', async () => {
    await coordination.create(led());
    expect(await asked(primary)()).toBe(200);
    expect(await asked(standby)()).toBe(503);
  });

  it('is 503 everywhere before there is a lease', async () => {
    expect(await asked()()).toBe(503);
  });

  it('is 503 once the lease has run out', async () => {
    await coordination.create(led());
    const status = asked();
    clock.advance(19);
    expect(await status()).toBe(200);
    clock.advance(1);
    expect(await status()).toBe(503);
  });

  it.each(['claimed', 'promoting'] as const)('is 503 on both sides while an epoch is %s', async (phase) => {
    await coordination.create(led({ epoch: epoch(8), holder: standby, phase, plan: planned() }));
    expect(await asked(primary)()).toBe(503);
    expect(await asked(standby)()).toBe(503);
  });

  it('sees a change within half a second, and does not ask the table each time', async () => {
    await coordination.create(led());
    const status = asked();
    expect(await status()).toBe(200);
    await coordination.replace({ ...led(), holder: standby, epoch: epoch(8) });
    clock.advance(0.3);
    expect(await status()).toBe(200);
    clock.advance(0.3);
    expect(await status()).toBe(503);
  });

  it('keeps to the lease that it knew of while the table does not answer, and no longer', async () => {
    await coordination.create(led());
    const status = asked();
    expect(await status()).toBe(200);
    coordination.setAvailable(false);
    clock.advance(10);
    expect(await status()).toBe(200);
    clock.advance(10);
    expect(await status()).toBe(503);
  });

  it('does not wait for a table that hangs', async () => {
    await coordination.create(led());
    let hangs = false;
    const hanging = { read: () => (hangs ? new Promise<undefined>(() => {}) : coordination.read()) };
    const impatient = manualClock(secondsLater(0));
    const status = leaseEndpoint({ coordination: hanging, region: primary, clock: impatient });
    coordination.failNext('read', new ServiceUnavailable('timeout'));
    expect(await status()).toBe(503);
    impatient.advance(2);
    hangs = true;
    expect(await status()).toBe(503);
  });
});
