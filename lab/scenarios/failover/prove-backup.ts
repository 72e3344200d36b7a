import { backupDatabase } from '../../../functions/backup/backup-database.ts';
import { type RecoveryPoint, recoveryPointId } from '../../../functions/backup/models.ts';
import { type Region, timestamp } from '../../../functions/common/ids.ts';
import { newVerification } from '../../../functions/verify/verification.ts';
import type { FailoverWorld } from '../../failover/world.ts';

/** Takes a backup in the region that leads, restores it there and judges it. */
export async function proveBackup(world: FailoverWorld) {
  const { lab } = world;
  const { leader } = world.sides();
  const [database] = lab.operations.databases;
  if (!database) throw new TypeError('the lab has no database');
  const requestedAt = lab.clock.now();
  const id = recoveryPointId(database.id, 'emergency', requestedAt);
  await lab.run(backupDatabase, { key: id, scheduledAt: timestamp(requestedAt), input: { databaseId: database.id, kind: 'emergency' } });
  await lab.databases.settled();
  const snapshotId = await homeSnapshot(world, id, leader);
  const target = { kind: 'recovery-point', recoveryPointId: id, snapshotId } as const;
  const record = newVerification({ databaseId: database.id, region: leader, purpose: 'on-demand', target, now: lab.clock.now() });
  await lab.execute(leader, 'verify-recovery-point', record.verificationId, record).catch(() => {});
  return { id, proof: (await lab.ports().proofs.get(record.verificationId))?.proof };
}

/** The same, unless the server that leads has one: from the end of that on its log can be replayed. */
export async function ensureProvenBackup(world: FailoverWorld): Promise<void> {
  const { databases, recoveryPoints } = world.lab.ports();
  const { leader } = world.sides();
  const { databaseId } = world.regions.state;
  const { earliestRestorableAt } = await databases.describe(databaseId, leader);
  const isProvenHere = ({ verification, locations }: RecoveryPoint) =>
    verification?.outcome === 'verified' && locations.some(({ region, role }) => region === leader && role === 'home');
  if (earliestRestorableAt && (await recoveryPoints.list(databaseId)).some(isProvenHere)) return;
  await proveBackup(world);
}

async function homeSnapshot({ lab }: FailoverWorld, id: ReturnType<typeof recoveryPointId>, region: Region): Promise<string> {
  const { recoveryPoints } = lab.ports();
  const availableAt = timestamp(lab.clock.now());
  const point = await recoveryPoints.get(id);
  const home = point?.locations.find((location) => location.role === 'home' && location.region === region);
  if (!point || !home) throw new TypeError(`there is no backup ${id} in ${region}`);
  const locations = point.locations.map((location) =>
    location === home ? { ...home, status: 'available' as const, availableAt } : location,
  );
  await recoveryPoints.update({ ...point, locations });
  return home.snapshotId;
}
