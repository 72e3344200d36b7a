import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotRef } from '../../functions/backup/ports.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import { startCanary } from '../../lab/canary.ts';
import { LabClock } from '../../lab/clock.ts';
import { passOff } from '../../lab/damage.ts';
import { HOSPITAL_DATABASE, loadHospital } from '../../lab/hospital/generate.ts';
import { startWriter } from '../../lab/hospital/writer.ts';
import { Lab } from '../../lab/lab.ts';
import { labDatabaseId, labOperations } from '../../lab/operations.ts';
import { emergencyBackup, judge, judgeDamaged, victimOf, type World } from '../../lab/scenarios/backup-damage.ts';
import { type Damage, damages } from '../../lab/scenarios/damages.ts';
import { type RunningRegions, startRegions } from '../../lab/start.ts';

/** A lab with a writer under load, everything in it real. */
async function aLab(): Promise<{ readonly lab: Lab; readonly end: () => Promise<void> }> {
  const operations = labOperations('hms', hospitalPack, [HOSPITAL_DATABASE]);
  const { primary, standby, tertiary } = operations.regions;
  const running: RunningRegions = await startRegions({
    deployment: operations.name,
    databaseId: DatabaseId.parse(labDatabaseId),
    regions: { primary: Region.parse(primary), standby: Region.parse(standby), tertiary: Region.parse(tertiary) },
    seed: 1,
    load: loadHospital(16e6),
  });
  const { regions } = running;
  const lab = new Lab(regions, operations, new LabClock());
  const canary = startCanary(lab);
  const writer = startWriter({ address: () => regions.address(regions.primary, 'application'), connections: 2, seed: 1, perSecond: 50 });
  await canary.begun;
  const end = async () => {
    await writer.stop();
    await canary.stop();
    await lab.settled();
    await running.stop();
  };
  return { lab, end };
}

describe('a damaged backup, from the store to the signed proof', () => {
  const ends: (() => Promise<void>)[] = [];
  let lab: Lab;
  let world: World;
  let foreign: { readonly lab: Lab; readonly snapshot: SnapshotRef };

  beforeAll(async () => {
    const other = await aLab();
    ends.push(other.end);
    foreign = { lab: other.lab, snapshot: await emergencyBackup(other.lab) };
    const own = await aLab();
    ends.push(own.end);
    lab = own.lab;
    const older = await emergencyBackup(lab);
    lab.advance(60);
    const fresh = await emergencyBackup(lab);
    const victim = await victimOf(lab);
    if (!victim) throw new Error('the hospital has no table to damage');
    world = { fresh, older, victim };
    expect((await judge(lab, fresh, fresh.snapshotId, 1)).outcome).toBe('verified');
  }, 180_000);
  afterAll(async () => {
    for (const end of ends) await end();
  }, 60_000);

  it.each(damages.map((damage, index) => [damage.id, damage, index + 2] as const))(
    '%s is refused for the right reason',
    async (_, damage, number) => {
      const proof = await judgeDamaged(lab, world, damage, number);
      expect(proof.outcome).toBe('refused');
      const failed = proof.checks.filter((check) => check.result === 'failed').map((check) => check.id);
      expect(
        failed.some((id) => damage.foundBy.includes(id)),
        `failed: ${failed.join(', ')}`,
      ).toBe(true);
      expect(proof.checks.find((check) => check.id === 'teardown')?.result).toBe('passed');
    },
  );

  it('the right backup of another database, with the very same rows, is refused by its identity', async () => {
    const swap: Damage = {
      id: 'foreign',
      says: 'The backup of another database is refused.',
      foundBy: ['identity'],
      toStored: (regions, ref) => passOff(regions, foreign.snapshot, ref, foreign.lab.regions),
    };
    const proof = await judgeDamaged(lab, world, swap, 90);
    expect(proof.outcome).toBe('refused');
    expect(proof.checks.find((check) => check.id === 'identity')?.result).toBe('failed');
  });

  it('none of them made the healthy backup suspect, and nothing restored is left', async () => {
    expect((await judge(lab, world.fresh, world.fresh.snapshotId, 99)).outcome).toBe('verified');
    expect(await lab.databases.listRestored(lab.regions.primary)).toEqual([]);
  });
});
