import { describe, expect, it } from 'vitest';
import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { lockRecoveryPoints } from '../../functions/backup/lock-recovery-points.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { epoch, led } from '../failover/support.ts';
import { memoryWorld } from '../support/host.ts';
import { testOperations } from '../support/operations.ts';
import { aLocation, aRecoveryPoint, hms, home, standby } from '../support/recovery-points.ts';

const due = new Date('2026-11-21T12:00:00.000Z');

/** The standby Region leads, and holds one backup of its own. */
async function afterFailover() {
  const operations = testOperations({ vaultLock: { ...testOperations().vaultLock, mode: 'compliance' } });
  const world = memoryWorld({ start: due.toISOString(), operations });
  await world.ports.coordination.create(led({ epoch: epoch(8), holder: standby }));
  const point = aRecoveryPoint(new Date('2026-11-21T11:00:00.000Z'));
  const taken = { ...point, locations: point.locations.map((location) => ({ ...location, region: standby })) };
  await world.ports.recoveryPoints.add(taken);
  await world.ports.manifests.put(standby, point.id, new Uint8Array([1]));
  world.ports.databases.setSnapshot({ region: standby, snapshotId: point.id }, { databaseId: hms });
  return { world, point };
}

describe('after a failover', () => {
  it('backups go on in the Region that leads, and not in the one that led', async () => {
    const { world } = await afterFailover();
    expect(await world.pass(advanceRecoveryPoints, { region: standby })).toMatchObject({ ran: true });
    expect(await world.pass(advanceRecoveryPoints, { region: home })).toEqual({ ran: false });
  });

  it('a backup of the new primary is copied to the Region that led before', async () => {
    const { world, point } = await afterFailover();
    await world.pass(advanceRecoveryPoints, { region: standby });
    const copied = await world.ports.recoveryPoints.get(point.id);
    expect(copied?.locations.map(({ region, role }) => [region, role])).toEqual([
      [standby, 'home'],
      [home, 'copy'],
    ]);
    expect(await world.ports.manifests.get(home, point.id)).toEqual(new Uint8Array([1]));
  });

  it('a Region that tells nothing keeps no backup of another waiting', async () => {
    const { world, point } = await afterFailover();
    const lost = aRecoveryPoint(new Date('2026-11-21T10:00:00.000Z'));
    const underWay = aLocation(lost.id, { region: home, role: 'home', status: 'creating' });
    await world.ports.recoveryPoints.add({ ...lost, locations: [underWay] });
    world.ports.databases.failNext('describeSnapshot', new ServiceUnavailable('us-east-1 does not answer'));
    expect(await world.pass(advanceRecoveryPoints, { region: standby })).toMatchObject({ ran: true });
    // Two hours old and unknown to nobody who answers: neither given up nor forgotten.
    expect((await world.ports.recoveryPoints.get(lost.id))?.locations).toEqual([underWay]);
    expect((await world.ports.recoveryPoints.get(point.id))?.locations).toHaveLength(2);
  });

  it('locked copies are taken where the lead is', async () => {
    const { world } = await afterFailover();
    await world.pass(lockRecoveryPoints, { region: standby });
    expect(await world.ports.vault.list(standby, hms)).toHaveLength(1);
    expect(await world.ports.vault.list(home, hms)).toEqual([]);
  });
});
