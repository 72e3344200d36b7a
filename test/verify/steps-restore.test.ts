import { describe, expect, it } from 'vitest';
import { timestamp } from '../../functions/common/ids.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import { awaitRestore } from '../../functions/verify/steps/await-restore.ts';
import { awaitTeardown } from '../../functions/verify/steps/await-teardown.ts';
import { checkIntegrity } from '../../functions/verify/steps/check-integrity.ts';
import { pickRecoveryPoint } from '../../functions/verify/steps/pick-recovery-point.ts';
import { startRestore } from '../../functions/verify/steps/start-restore.ts';
import { startTeardown } from '../../functions/verify/steps/start-teardown.ts';
import { newVerification } from '../../functions/verify/verification.ts';
import { memoryWorld } from '../support/host.ts';
import { expectActsClosed, storePoint } from '../support/inventory.ts';
import { aRecoveryPoint, hms, home, standby } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');

/** A stored backup, and the record of its verification. */
async function verificationOf(point = { region: home }) {
  const world = memoryWorld({ start: now.toISOString() });
  const stored = await storePoint(world, now, { copied: true, sizeBytes: 4711 });
  const target = { kind: 'recovery-point', recoveryPointId: stored.id, snapshotId: stored.id } as const;
  const record = newVerification({ databaseId: hms, region: point.region, purpose: 'backup', target, now });
  const step = async (of: Parameters<typeof world.step>[0], input: VerificationRecord) =>
    VerificationRecord.parse(await world.step(of, input));
  return { world, stored, record, step };
}

const pitr = (time: Date) =>
  newVerification({
    databaseId: hms,
    region: home,
    purpose: 'point-in-time',
    target: { kind: 'point-in-time', time: timestamp(time) },
    now,
  });

describe('the steps before a restore', () => {
  it('find the backup where the record says it is, and note its size', async () => {
    const { record, step } = await verificationOf();
    expect((await step(pickRecoveryPoint, record)).measured.sizeBytes).toBe(4711);
  });

  it('refuse a backup that is in no inventory, and one that is not available there', async () => {
    const { world, stored, record } = await verificationOf();
    const unknown = aRecoveryPoint(new Date('2020-01-01T00:00:00Z')).id;
    await expect(
      world.step(pickRecoveryPoint, { ...record, target: { kind: 'recovery-point', recoveryPointId: unknown, snapshotId: unknown } }),
    ).rejects.toThrow(`${unknown} is not in the inventory`);
    await world.ports.recoveryPoints.update({
      ...stored,
      locations: stored.locations.map((each) => (each.region === home ? { ...each, status: 'removed' } : each)),
    });
    await expect(world.step(pickRecoveryPoint, record)).rejects.toMatchObject({ name: 'NotFound', message: expect.stringContaining(home) });
    await expect(world.step(pickRecoveryPoint, { ...record, region: standby })).resolves.toBeDefined();
  });

  it('refuse a snapshot that the store itself finds damaged, before anything is restored', async () => {
    const { world, stored, record, step } = await verificationOf();
    expect((await step(checkIntegrity, record)).checks).toMatchObject([{ id: 'integrity', result: 'passed' }]);
    world.ports.snapshotIntegrity.damage({ region: home, snapshotId: stored.id }, 'block 7 does not match its checksum');
    await expect(world.step(checkIntegrity, record)).rejects.toMatchObject({
      name: 'BackupDamaged',
      message: 'block 7 does not match its checksum',
    });
  });

  it('ask nothing of a restore to a second, which has no snapshot of its own', async () => {
    const { step } = await verificationOf();
    const record = pitr(now);
    expect(await step(pickRecoveryPoint, record)).toEqual(record);
    expect(await step(checkIntegrity, record)).toEqual(record);
  });
});

describe('the restore', () => {
  it('is started once, under the name of the verification, and expires', async () => {
    const { world, record, step } = await verificationOf();
    const first = await step(startRestore, record);
    world.clock.advance(60);
    const second = await step(startRestore, first);
    const restored = await world.ports.databases.listRestored(home);
    expect(restored.map(({ restoredId }) => restoredId)).toEqual([record.verificationId]);
    expect(restored[0]?.expiresAt).toEqual(new Date(now.getTime() + world.operations.verification.restoreLimit * 1000));
    expect(second.restoreRequestedAt).toBe(first.restoreRequestedAt);
    await expectActsClosed(world, 0);
  });

  it('goes to the second that was asked for', async () => {
    const { world, step } = await verificationOf();
    await step(startRestore, pitr(new Date(now.getTime() - 3_600_000)));
    expect(await world.ports.databases.listRestored(home)).toHaveLength(1);
    await expect(world.step(startRestore, pitr(now))).rejects.toThrow('outside the point-in-time window');
  });

  it('is measured from the request until it is up', async () => {
    const { world, record, step } = await verificationOf();
    const asked = await step(startRestore, record);
    world.clock.advance(300);
    const waiting = await step(awaitRestore, asked);
    expect([waiting.restoreStatus, waiting.checks]).toEqual(['creating', []]);
    world.clock.advance(301);
    const up = await step(awaitRestore, waiting);
    expect(up).toMatchObject({ restoreStatus: 'available', restoredAt: timestamp(world.clock.now()), measured: { restoreSeconds: 601 } });
    expect(up.checks).toMatchObject([{ id: 'restore', result: 'passed' }]);
  });

  it('fails when it is not there, when the service says so, and when it takes longer than the limit', async () => {
    const { world, record, step } = await verificationOf();
    await expect(world.step(awaitRestore, record)).rejects.toMatchObject({
      name: 'RestoreFailed',
      message: expect.stringContaining('not there'),
    });
    const asked = await step(startRestore, record);
    const ref = { region: home, restoredId: record.verificationId };
    world.ports.databases.setRestored(ref, { databaseId: hms, failed: true, reason: 'incompatible-parameters' });
    await expect(world.step(awaitRestore, asked)).rejects.toThrow('is failed: incompatible-parameters');
    const never = timestamp(new Date(now.getTime() + 86_400_000));
    world.ports.databases.setRestored(ref, { databaseId: hms, failed: false, availableAt: never });
    world.clock.advance(world.operations.verification.restoreLimit);
    expect((await step(awaitRestore, asked)).restoreStatus).toBe('creating');
    world.clock.advance(1);
    await expect(world.step(awaitRestore, asked)).rejects.toMatchObject({ name: 'RestoreTimedOut', retryable: false });
  });
});

describe('the teardown', () => {
  it('removes what the verification made although its record knows nothing of it, and gives a receipt when it is gone', async () => {
    const { world, record, step } = await verificationOf();
    await step(startRestore, record);
    const removing = await step(startTeardown, record);
    expect((await step(awaitTeardown, removing)).teardown).toEqual({ status: 'removing', requestedAt: timestamp(now) });
    world.clock.advance(120);
    expect((await step(awaitTeardown, removing)).teardown).toEqual({
      status: 'removed',
      requestedAt: timestamp(now),
      removedAt: timestamp(world.clock.now()),
    });
    expect(await world.ports.databases.listRestored(home)).toEqual([]);
    await expectActsClosed(world, 0);
  });

  it('gives its receipt too when nothing was ever restored', async () => {
    const { record, step } = await verificationOf();
    expect((await step(awaitTeardown, await step(startTeardown, record))).teardown?.status).toBe('removed');
  });

  it('counts its half-hour from the first request, however often it is repeated, and fails after it', async () => {
    const { world, record, step } = await verificationOf();
    await step(startRestore, record);
    const removing = await step(startTeardown, record);
    const never = timestamp(new Date(now.getTime() + 86_400_000));
    world.ports.databases.setRestored({ region: home, restoredId: record.verificationId }, { databaseId: hms, goneAt: never });
    world.clock.advance(1800);
    const again = await step(startTeardown, removing);
    expect((await step(awaitTeardown, again)).teardown?.status).toBe('removing');
    world.clock.advance(1);
    await expect(world.step(awaitTeardown, again)).rejects.toMatchObject({
      name: 'TeardownTimedOut',
      message: expect.stringContaining('still deleting'),
    });
  });

  it('touches no database of others, whatever its name', async () => {
    const { world, record } = await verificationOf();
    world.ports.databases.setRestored({ region: home, restoredId: record.verificationId }, { databaseId: hms, owner: 'others' });
    await expect(world.step(startTeardown, record)).rejects.toMatchObject({ name: 'NotOwned' });
  });
});
