import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { backupDatabase } from '../../functions/backup/backup-database.ts';
import { checkLogFreshness } from '../../functions/backup/check-log-freshness.ts';
import { isVerified, type RecoveryPoint } from '../../functions/backup/models.ts';
import { formatSeconds } from '../../functions/common/duration.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { latestOccurrence } from '../../functions/common/schedule.ts';
import { isSignedBy, type SignedProof } from '../../functions/verify/proof.ts';
import { startVerifications } from '../../functions/verify/start-verifications.ts';
import { verifyPointInTime } from '../../functions/verify/verify-point-in-time.ts';
import { verifySecondRegion } from '../../functions/verify/verify-second-region.ts';
import type { Lab } from '../lab.ts';
import type { Phases } from '../phases.ts';
import type { Findings } from '../report.ts';
import { refuseDamages } from './backup-damage.ts';
import { keepInOrder } from './backup-upkeep.ts';
import { signedTrail } from './signed-trail.ts';

/** What a scenario works with. */
export interface Stage {
  readonly lab: Lab;
  readonly phases: Phases;
  readonly findings: Findings;
}

/**
 * The ground floor, end to end: a database under load is backed up, copied, restored and compared; damaged backups are refused;
 * what is old is removed and what was interrupted is made good. Every act runs through the real tasks and the synthesized machines.
 */
export async function backupScenario(stage: Stage): Promise<void> {
  const { findings, lab } = stage;
  const [database] = lab.operations.databases;
  if (!database) throw new TypeError('the lab has no database');
  findings.objective('dataLossSeconds', database.objectives.rpo);
  findings.objective('restoreSeconds', database.objectives.rto);

  const point = await backUp(stage);
  await verifyBackup(stage, point);
  await copyAndVerifyThere(stage, point);
  await restoreToASecond(stage);
  await refuseDamages(stage);
  await keepInOrder(stage);
  await signedTrail(stage);
}

/** B1, B6: the daily backup with its manifest, under load. */
async function backUp({ lab, phases, findings }: Stage): Promise<RecoveryPoint> {
  return phases.run('Back up the database while it is written to', async (say) => {
    const [database] = lab.operations.databases;
    if (!database) throw new TypeError('the lab has no database');
    const due = latestOccurrence(database.backups.daily, lab.operations.timeZone, lab.clock.now()) ?? lab.clock.now();
    const event = { key: `${database.id}/daily`, scheduledAt: timestamp(due), input: { databaseId: database.id, kind: 'daily' } };
    const begun = performance.now();
    await lab.run(backupDatabase, event);
    await lab.databases.settled();
    findings.measure('backupSeconds', (performance.now() - begun) / 1000);
    await lab.run(advanceRecoveryPoints, { scheduledAt: timestamp(lab.clock.now()) });
    const again = await lab.run(backupDatabase, event);
    const points = await lab.ports().recoveryPoints.list(database.id);
    const [point] = points;
    if (!point) throw new TypeError('the inventory is empty after a backup');
    const home = point.locations.find((location) => location.role === 'home');
    const complete = home?.status === 'available' && point.manifestSha256 !== undefined;
    findings.measure('backupBytes', point.sizeBytes ?? 0);
    findings.promise(
      'B1',
      'A backup of the live database is taken with a manifest of its content.',
      complete,
      `${point.id}, ${megabytes(point.sizeBytes)}`,
    );
    findings.promise(
      'B1.once',
      'Asking for the same backup twice makes one.',
      again === undefined && points.length === 1,
      `${points.length} recovery point`,
    );
    const listed = (point.sizeBytes ?? 0) > 0 && point.engineVersion !== undefined && home?.keyId !== undefined;
    findings.promise(
      'B6',
      'The inventory says what, where, how big, under which key.',
      listed,
      `${home?.region}, ${megabytes(point.sizeBytes)}, PostgreSQL ${point.engineVersion}, ${home?.keyId}`,
    );
    say(`${point.id}: ${megabytes(point.sizeBytes)}`);
    return point;
  });
}

/** V1, V2, V3, V7: restored, compared, measured, signed. */
async function verifyBackup({ lab, phases, findings }: Stage, point: RecoveryPoint): Promise<void> {
  await phases.run('Prove the backup by restoring it', async (say) => {
    lab.watchState = say;
    await lab.run(startVerifications, { scheduledAt: timestamp(lab.clock.now()) });
    await lab.executions.settled();
    const { proofs, recoveryPoints, signer, databases } = lab.ports();
    const [signed] = await proofs.list(point.databaseId, 1);
    if (!signed) throw new TypeError('the verification left no proof');
    const { proof } = signed;
    const failed = proof.checks.filter((check) => check.result === 'failed');
    const passed = proof.checks.filter((check) => check.result === 'passed');
    const left = await databases.listRestored(proof.region);
    const { rows = 0, tables = 0, restoreSeconds, lossSeconds, checkSeconds } = proof.measured;
    const answer =
      failed.length === 0 ? `${passed.length} checks passed` : failed.map((check) => `${check.id}: ${check.findings[0]}`).join('; ');
    findings.promise(
      'V1',
      'The backup restores into isolation, is checked, and is torn down with a receipt.',
      proof.outcome === 'verified' && left.length === 0,
      answer,
    );
    const content = proof.checks.find((check) => check.id === 'content');
    findings.promise(
      'V2',
      'Every settled row came back, by two 64-bit hashes of each row.',
      content?.result === 'passed',
      `${rows} rows in ${tables} tables`,
    );
    const [database] = lab.operations.databases;
    if (restoreSeconds !== undefined) findings.measure('restoreSeconds', restoreSeconds);
    if (lossSeconds !== undefined) findings.measure('dataLossSeconds', lossSeconds);
    if (checkSeconds !== undefined) findings.measure('checkSeconds', checkSeconds);
    findings.measure('rows', rows);
    const within = restoreSeconds !== undefined && lossSeconds !== undefined && database !== undefined;
    findings.promise(
      'V3',
      'Data loss and restore time are measured from canaries and meet the objectives.',
      within && lossSeconds <= database.objectives.rpo && restoreSeconds <= database.objectives.rto,
      `lost ${formatSeconds(lossSeconds ?? Number.NaN)} of at most ${formatSeconds(database?.objectives.rpo ?? 0)}, restored in ${formatSeconds(restoreSeconds ?? Number.NaN)} of at most ${formatSeconds(database?.objectives.rto ?? 0)}`,
    );
    const key = await signer.publicKey();
    const genuine = isSignedBy(signed, key);
    const forged: SignedProof = { ...signed, proof: { ...proof, outcome: proof.outcome === 'verified' ? 'refused' : 'verified' } };
    findings.promise(
      'V7',
      'The proof of restore verifies offline, and an altered one does not.',
      genuine && !isSignedBy(forged, key),
      `signed by ${signed.keyId}`,
    );
    const after = await recoveryPoints.get(point.id);
    findings.promise(
      'V2.root',
      'The first verified restore fixes the content root.',
      after?.contentRoot !== undefined && after.contentRoot === proof.contentRoot,
      `${after?.contentRoot?.slice(0, 16)}…`,
    );
    say(`${rows} rows in ${tables} tables, ${answer}`);
  });
}

/** B2, V5: copies under keys that live there, restored with the home Region denied. */
async function copyAndVerifyThere({ lab, phases, findings }: Stage, point: RecoveryPoint): Promise<void> {
  const { recoveryPoints, proofs } = lab.ports();
  await phases.run('Copy the backup to the other Regions under their own keys', async (say) => {
    await lab.run(advanceRecoveryPoints, { scheduledAt: timestamp(lab.clock.now()) });
    await lab.databases.settled();
    await lab.run(advanceRecoveryPoints, { scheduledAt: timestamp(new Date(lab.clock.now().getTime() + 1000)) });
    const copies = (await recoveryPoints.get(point.id))?.locations.filter((location) => location.status === 'available') ?? [];
    const keys = new Set(copies.map((location) => location.keyId));
    const wanted = 1 + (lab.operations.databases[0]?.copyTo.length ?? 0);
    findings.promise(
      'B2',
      'The backup is copied to the other Regions, each under a key that lives there.',
      copies.length === wanted && keys.size === wanted,
      `${copies.map((copy) => copy.region).join(', ')}: ${keys.size} keys`,
    );
    say(`${copies.length - 1} copies`);
  });
  await phases.run('Restore a copy with the home Region denied', async (say) => {
    const home = lab.regions.primary;
    lab.watchState = say;
    // From here until the machines end, nobody in this process gets at the home Region's directory, key or server.
    lab.beforeStep = async (operation) => {
      if (operation === 'check-integrity' && !lab.regions.isDenied(home)) lab.regions.deny(home);
    };
    try {
      await lab.run(verifySecondRegion, { scheduledAt: timestamp(lab.clock.now()) });
      await lab.executions.settled();
    } finally {
      lab.regions.allow(home);
      lab.beforeStep = async () => {};
    }
    await lab.run(advanceRecoveryPoints, { scheduledAt: timestamp(lab.clock.now()) });
    const there = (await proofs.list(point.databaseId, 20)).filter(({ proof }) => proof.purpose === 'second-region');
    const good = there.filter(({ proof }) => proof.outcome === 'verified');
    const problems = there.flatMap(({ proof }) =>
      proof.checks.filter((check) => check.result === 'failed').map((check) => `${check.id}: ${check.findings[0]}`),
    );
    const current = await recoveryPoints.get(point.id);
    const sameRoot = good.every(({ proof }) => proof.contentRoot === current?.contentRoot);
    findings.promise(
      'V5',
      'A copy restores in another Region with the first Region denied, to the same content.',
      good.length === (lab.operations.databases[0]?.copyTo.length ?? 0) && sameRoot && current !== undefined && isVerified(current),
      problems.length > 0 ? problems.join('; ') : `${good.map(({ proof }) => proof.region).join(', ')}: same content root`,
    );
  });
}

/** V4, B1: the transaction log. */
async function restoreToASecond({ lab, phases, findings }: Stage): Promise<void> {
  await phases.run('Restore to a random second of the log', async (say) => {
    lab.watchState = say;
    const [database] = lab.operations.databases;
    if (!database) throw new TypeError('the lab has no database');
    await lab.run(checkLogFreshness, { scheduledAt: timestamp(lab.clock.now()) });
    const logAge = lab.metrics.latest('LogAgeSeconds') ?? Number.POSITIVE_INFINITY;
    findings.measure('logAgeSeconds', logAge);
    findings.promise(
      'B1.log',
      'The newest restorable second is younger than the objective.',
      logAge <= database.objectives.rpo,
      `${formatSeconds(logAge)} old`,
    );
    await lab.run(verifyPointInTime, { scheduledAt: timestamp(lab.clock.now()) });
    await lab.executions.settled();
    const [signed] = (await lab.ports().proofs.list(database.id, 20)).filter(({ proof }) => proof.purpose === 'point-in-time');
    const proof = signed?.proof;
    const failed = proof?.checks.filter((check) => check.result === 'failed') ?? [];
    const loss = proof?.measured.lossSeconds;
    if (loss !== undefined) findings.measure('pointInTimeLossSeconds', loss);
    findings.promise(
      'V4',
      'A random second of the log is restored, and the last canary before it is there.',
      proof?.outcome === 'verified' && loss !== undefined && loss <= database.objectives.rpo,
      failed.length > 0 || loss === undefined
        ? failed.map((check) => `${check.id}: ${check.findings[0]}`).join('; ') || 'no proof'
        : `to ${proof?.target.kind === 'point-in-time' ? proof.target.time : ''}, ${formatSeconds(loss)} before it lost`,
    );
  });
}

const megabytes = (bytes: number | undefined): string => `${Math.round((bytes ?? 0) / 100_000) / 10} MB`;
