import { describe, expect, it } from 'vitest';
import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import { startVerifications } from '../../functions/verify/start-verifications.ts';
import { recordVerdict } from '../../functions/verify/steps/record-verdict.ts';
import { newVerification } from '../../functions/verify/verification.ts';
import { memoryWorld } from '../support/host.ts';
import { storePoint } from '../support/inventory.ts';
import { testOperations } from '../support/operations.ts';
import { aLocation, hms, standby } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const newWorld = () =>
  memoryWorld({ start: now.toISOString(), operations: testOperations({ databases: testOperations().databases.slice(0, 1) }) });

describe('a verdict given in another Region', () => {
  it('is not written into the inventory there, and is adopted by the active Region from its proof', async () => {
    const world = newWorld();
    const requestedAt = new Date(now.getTime() - 3_600_000);
    const stored = await storePoint(world, requestedAt);
    const copy = aLocation(stored.id, { region: standby, role: 'copy' });
    const point = await world.ports.recoveryPoints.update({ ...stored, locations: [...stored.locations, copy] });
    const target = { kind: 'recovery-point', recoveryPointId: point.id, snapshotId: copy.snapshotId } as const;
    const record = newVerification({ databaseId: hms, region: standby, purpose: 'second-region', target, now });

    const judged = VerificationRecord.parse(await world.step(recordVerdict, record, { region: standby }));
    expect(judged.verdict).toBe('refused'); // nothing was asked of it
    expect(await world.ports.recoveryPoints.get(point.id)).toEqual(point);

    await world.pass(advanceRecoveryPoints);
    const adopted = await world.ports.recoveryPoints.get(point.id);
    expect(adopted?.locations.find(({ region }) => region === standby)?.verdict).toMatchObject({
      outcome: 'refused',
      verificationId: record.verificationId,
    });

    await world.pass(advanceRecoveryPoints);
    expect(await world.ports.recoveryPoints.get(point.id)).toEqual(adopted);
  });
});

describe('a verification whose machine died before the verdict', () => {
  it('is started again, three times in all, and not while one runs', async () => {
    const world = newWorld();
    await storePoint(world, new Date(now.getTime() - 3_600_000));
    const statusOf = new Map<string, 'running' | 'failed'>();
    const executions = {
      start: async ({ name }: { readonly name: string }) => void statusOf.set(name, 'running'),
      describe: async ({ name }: { readonly name: string }) => {
        const status = statusOf.get(name);
        return status && { status };
      },
    };
    const pass = () => world.pass(startVerifications, { ports: { ...world.ports, executions } });
    const dies = () => {
      for (const name of statusOf.keys()) statusOf.set(name, 'failed');
    };
    await pass();
    await pass();
    expect(statusOf.size).toBe(1);
    for (let death = 0; death < 5; death++) {
      dies();
      await pass();
    }
    expect(statusOf.size).toBe(3);
  });
});
