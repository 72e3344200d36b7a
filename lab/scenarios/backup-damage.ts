import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { backupDatabase } from '../../functions/backup/backup-database.ts';
import { isVerified, recoveryPointId } from '../../functions/backup/models.ts';
import type { SnapshotRef } from '../../functions/backup/ports.ts';
import { Conflict, NotFound } from '../../functions/common/errors.ts';
import { RecoveryPointId, timestamp } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { VerificationRecord } from '../../functions/verify/models.ts';
import type { Proof } from '../../functions/verify/proof.ts';
import { newVerification } from '../../functions/verify/verification.ts';
import type { Lab } from '../lab.ts';
import type { Stage } from './backup.ts';
import { type Damage, damages } from './damages.ts';
import { pickVictim, type Victim } from './victim.ts';

/** Verifications that run at the same time; each has a PostgreSQL server of its own. */
const atOnce = 2;

/** V6: each kind of damage is done to a copy of its own of a fresh backup, and must be refused for the right reason. */
export async function refuseDamages({ lab, phases, findings }: Stage): Promise<void> {
  await phases.run('Damage copies of a backup, and see each refused', async (say) => {
    lab.watchState = () => {}; // two at a time: their states would mix
    const victim = await victimOf(lab);
    if (!victim) {
      say('skipped: this database has no table with rows that could be damaged');
      return;
    }
    say('taking an emergency backup and proving it');
    const fresh = await emergencyBackup(lab);
    const older = await olderThan(lab, fresh);
    const healthy = await judge(lab, fresh, fresh.snapshotId, 1);
    const unproven = healthy.checks.filter(({ result }) => result === 'failed').map(({ id, findings: why }) => `${id}: ${why.join(', ')}`);
    const shownAs = [fresh.snapshotId, ...unproven].join('; ').slice(0, 500);
    findings.promise('B7', 'An emergency backup is taken on demand and proven.', healthy.outcome === 'verified', shownAs);
    const shown = damages.filter((damage) => !damage.testsOnly);
    const waiting = [...shown.entries()];
    let done = 0;
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, damage] = next;
        const proof = await judgeDamaged(lab, { fresh, older, victim }, damage, index + 2);
        const found = proof.checks.filter((check) => check.result === 'failed').map((check) => check.id);
        const held = proof.outcome === 'refused' && found.some((id) => damage.foundBy.includes(id));
        findings.promise(
          `V6.${damage.id}`,
          damage.says,
          held,
          proof.outcome === 'refused' ? `refused by ${firstOf(found)}` : 'it was called verified',
        );
        say(`${++done} of ${shown.length}: ${damage.id} ${proof.outcome}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  });
}

export async function victimOf(lab: Lab): Promise<Victim | undefined> {
  const { regions } = lab;
  for (const name of regions.state.databaseNames) {
    const session = await pgServer(regions.address(regions.primary, 'admin')).connect(name);
    try {
      const victim = await pickVictim(session, name);
      if (victim) return victim;
    } finally {
      await session.close();
    }
  }
  return undefined;
}

const mostNamed = 4;

/** The first few of a list, and how many more. */
const firstOf = (list: readonly string[]): string =>
  list.length <= mostNamed ? list.join(', ') : `${list.slice(0, mostNamed).join(', ')} and ${list.length - mostNamed} more`;

export interface World {
  readonly fresh: SnapshotRef;
  readonly older: SnapshotRef;
  readonly victim: Victim;
}

/** Copies the fresh backup, damages the copy, and lets the machine judge it. The refused copy is left to the sweeper. */
export async function judgeDamaged(lab: Lab, { fresh, older, victim }: World, damage: Damage, number: number): Promise<Proof> {
  const { region } = fresh;
  const copy = { region, snapshotId: `${fresh.snapshotId}-damaged-${number - 1}` };
  await lab.databases.copySnapshot(fresh, copy);
  for (
    let snapshot = await lab.databases.describeSnapshot(copy);
    snapshot?.status === 'creating';
    snapshot = await lab.databases.describeSnapshot(copy)
  ) {
    await lab.clock.sleep(20);
  }
  await damage.toStored?.(lab.regions, copy, { older, victim });
  await noteCopy(lab, fresh.snapshotId, copy);
  return judge(lab, fresh, copy.snapshotId, number, async (record) => {
    if (!damage.toRestored) return;
    const server = await lab.ports().sqlServers.restored({ databaseId: record.databaseId, region, restoredId: record.verificationId });
    const session = await server.connect(victim.databaseName);
    try {
      await damage.toRestored(session, victim);
    } finally {
      await session.close();
    }
  });
}

/** Runs the machine on one stored snapshot and returns its proof. `beforeCompare` gets at the restored database first. */
export async function judge(
  lab: Lab,
  { region, snapshotId: pointId }: SnapshotRef,
  snapshotId: string,
  attempt: number,
  beforeCompare: (record: VerificationRecord) => Promise<void> = async () => {},
): Promise<Proof> {
  const [database] = lab.operations.databases;
  if (!database) throw new TypeError('the lab has no database');
  const target = { kind: 'recovery-point', recoveryPointId: RecoveryPointId.parse(pointId), snapshotId } as const;
  const record = newVerification({ databaseId: database.id, region, purpose: 'on-demand', target, now: lab.clock.now(), attempt });
  lab.beforeCompare.set(record.verificationId, beforeCompare);
  // The machine fails when it refuses: what it found is in the proof.
  await lab.execute(region, 'verify-recovery-point', record.verificationId, record).catch(() => {});
  lab.beforeCompare.delete(record.verificationId);
  const signed = await lab.ports().proofs.get(record.verificationId);
  if (!signed) throw new NotFound(`verification ${record.verificationId} left no proof`);
  return signed.proof;
}

async function noteCopy(lab: Lab, pointId: string, copy: SnapshotRef): Promise<void> {
  const { recoveryPoints } = lab.ports();
  for (;;) {
    const point = await recoveryPoints.get(RecoveryPointId.parse(pointId));
    if (!point) throw new NotFound(`recovery point ${pointId} is not in the inventory`);
    try {
      const location = { ...copy, role: 'copy', keyId: 'copied', status: 'available' } as const;
      await recoveryPoints.update({ ...point, locations: [...point.locations, location] });
      return;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error; // the other verification wrote first: read again
    }
  }
}

/** An emergency backup (B7), which the damages are then done to copies of. */
export async function emergencyBackup(lab: Lab): Promise<SnapshotRef> {
  const databaseId = lab.operations.databases[0]?.id;
  if (!databaseId) throw new TypeError('the lab has no database');
  const requestedAt = lab.clock.now();
  await lab.run(backupDatabase, { scheduledAt: timestamp(requestedAt), key: 'emergency', input: { databaseId, kind: 'emergency' } });
  await lab.databases.settled();
  // A backup that took longer than its task waits is in the inventory as being made until this notes that it is there.
  await lab.run(advanceRecoveryPoints, { scheduledAt: timestamp(lab.clock.now()) });
  return { region: lab.regions.primary, snapshotId: recoveryPointId(databaseId, 'emergency', requestedAt) };
}

async function olderThan(lab: Lab, { region, snapshotId }: SnapshotRef): Promise<SnapshotRef> {
  const [database] = lab.operations.databases;
  const points = database ? await lab.ports().recoveryPoints.list(database.id) : [];
  const older = points.find((point) => isVerified(point) && point.id !== snapshotId);
  const home = older?.locations.find((location) => location.region === region && location.role === 'home');
  if (!home) throw new TypeError('there is no older backup');
  return { region, snapshotId: home.snapshotId };
}
