import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { InvalidConfig } from '../../config/invalid-config.ts';
import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { backupAuditLogTable } from '../../functions/backup/backup-audit-log-table.ts';
import { backupStateTables } from '../../functions/backup/backup-state-tables.ts';
import { expireRecoveryPoints } from '../../functions/backup/expire-recovery-points.ts';
import { lockRecoveryPoints } from '../../functions/backup/lock-recovery-points.ts';
import { isVerified, recoveryPointId } from '../../functions/backup/models.ts';
import { sweepOrphans } from '../../functions/backup/sweep-orphans.ts';
import { days, formatSeconds, hours, minutes } from '../../functions/common/duration.ts';
import { Locked } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { latestOccurrence } from '../../functions/common/schedule.ts';
import { taskNamed } from '../../functions/tasks.ts';
import { checkVerificationAge } from '../../functions/verify/check-verification-age.ts';
import { foreignCopy } from '../damage.ts';
import { Lab } from '../lab.ts';
import { labOperations } from '../operations.ts';
import { SnapshotStore } from '../snapshots/store.ts';
import type { Stage } from './backup.ts';

const due = (lab: Lab) => timestamp(lab.clock.now());

/** What keeps backups in order between the days on which somebody needs one. */
export async function keepInOrder(stage: Stage): Promise<void> {
  stage.lab.watchState = () => {};
  await stage.phases.run("Back up Codeblue's own state and prove it", () => ownState(stage));
  await stage.phases.run('Lock a copy, after simulating it', () => lockCopies(stage));
  await stage.phases.run('Kill a backup half-way and let the next run make it good', () => interrupted(stage));
  await stage.phases.run('Let forty days pass: expire, sweep, look again', () => retention(stage));
  await stage.phases.run('Refuse a schedule that cannot meet its objective', () => refuseSchedule(stage));
  await stage.phases.run('Read the audit log', () => auditComplete(stage));
}

/** B5 */
async function ownState({ lab, findings }: Stage): Promise<void> {
  // Items of the last minute may be younger than the backup, so the comparison leaves them out: let them become older first.
  lab.advance(minutes(2));
  await lab.run(backupStateTables, { scheduledAt: due(lab) });
  for (const region of lab.regions.names) await lab.run(backupAuditLogTable, { scheduledAt: due(lab) }, { region });
  await lab.executions.settled();
  const verdicts = (await lab.ports().auditLog.recent(new Date(0), 1000)).filter(
    (event) => event.action === 'record-state-verdict' && event.phase === 'intent',
  );
  const compared = verdicts.reduce((sum, event) => sum + Number(event.details.compared ?? 0), 0);
  const good = verdicts.filter((event) => event.details.verdict === 'verified');
  const left = (await Promise.all(lab.regions.names.map((region) => lab.ports(region).stateBackups.listRestored()))).flat();
  const tables = lab.ports().stateBackups.replicatedTables().length + lab.regions.names.length;
  findings.promise(
    'B5',
    "Codeblue's own tables are backed up, restored and compared item by item, the table of each log in its own Region.",
    good.length === tables && compared > 0 && left.length === 0,
    `${compared} items of ${tables} tables`,
  );
}

/** B8 */
async function lockCopies({ lab, findings }: Stage): Promise<void> {
  await lab.run(lockRecoveryPoints, { scheduledAt: due(lab) });
  const [database] = lab.operations.databases;
  if (!database) throw new TypeError('the lab has no database');
  const region = lab.regions.primary;
  const simulated = (await lab.vault.list(region, database.id)).length === 0;
  const strict = new Lab(lab.regions, { ...lab.operations, vaultLock: { ...lab.operations.vaultLock, mode: 'compliance' } }, lab.clock);
  await strict.run(lockRecoveryPoints, { key: 'compliance', scheduledAt: due(lab) });
  await strict.settled();
  const [copy] = await strict.vault.list(region, database.id);
  const refused = await strict.vault.remove(region, copy?.copyId ?? '').then(
    () => false,
    (error: unknown) => error instanceof Locked,
  );
  const until = copy?.lockedUntil?.toISOString().slice(0, 10) ?? 'never';
  findings.promise(
    'B8',
    'A locked copy cannot be removed before its time, and simulating locks nothing.',
    simulated && refused && copy?.status === 'available',
    `locked until ${until}`,
  );
}

/** A process of its own takes a backup and is killed; the ledger's claim, catch-up and sweeper make it good. */
async function interrupted({ lab, findings }: Stage): Promise<void> {
  const [database] = lab.operations.databases;
  const schedule = database?.backups['six-hourly'];
  if (!database || !schedule) throw new TypeError('the lab has no six-hourly backup');
  const scheduledAt = latestOccurrence(schedule, lab.operations.timeZone, lab.clock.now());
  if (!scheduledAt) throw new TypeError('the six-hourly backup has never been due');
  const id = recoveryPointId(database.id, 'six-hourly', scheduledAt);
  await dieHalfWay(lab, timestamp(scheduledAt));
  const before = await lab.ports().recoveryPoints.get(id);

  lab.advance(minutes(30)); // the crashed run's claim grows stale
  await lab.run(taskNamed('run-missed-tasks'), { scheduledAt: due(lab) });
  await lab.settled();
  await lab.run(advanceRecoveryPoints, { scheduledAt: due(lab) });
  const after = await lab.ports().recoveryPoints.get(id);
  const available = after?.locations.filter((location) => location.role === 'home' && location.status === 'available') ?? [];
  findings.promise(
    'B1.interrupted',
    'A backup that was killed half-way is taken again by itself, once.',
    before !== undefined && before.manifestSha256 === undefined && after?.manifestSha256 !== undefined && available.length === 1,
    `killed at attempt 1, complete at attempt ${after?.locations.filter((location) => location.role === 'home').length}`,
  );
}

/** The process kills itself, so that it dies at the same moment on every machine. */
async function dieHalfWay(lab: Lab, scheduledAt: string): Promise<void> {
  const script = fileURLToPath(new URL('../dying-backup.ts', import.meta.url));
  const [, signal] = await once(spawn(process.execPath, [script, lab.regions.dir, scheduledAt], { stdio: 'ignore' }), 'exit');
  if (signal !== 'SIGKILL') throw new TypeError('the process that was to die half-way ended in another way');
}

/** B3, V8, and the sweeper: after forty days the newest verified backup is still there, and nothing is left over. */
async function retention({ lab, findings }: Stage): Promise<void> {
  const [database] = lab.operations.databases;
  if (!database) throw new TypeError('the lab has no database');
  const { recoveryPoints, databases } = lab.ports();
  const region = lab.regions.primary;
  const list = () => recoveryPoints.list(database.id);
  const held = async () =>
    (await list()).flatMap((point) =>
      point.locations.filter((location) => location.status === 'available' && location.role === 'home').map(() => point),
    );
  const before = await held();
  const newest = before.filter(isVerified)[0];
  const foreign = foreignCopy(new SnapshotStore(lab.regions.use(region)), newest?.id ?? '');

  await lab.run(checkVerificationAge, { scheduledAt: due(lab) });
  const fresh = lab.metrics.latest('NewestVerifiedAgeSeconds') ?? Number.POSITIVE_INFINITY;
  lab.advance(days(40));
  await lab.run(checkVerificationAge, { scheduledAt: due(lab) });
  const stale = lab.metrics.latest('NewestVerifiedAgeSeconds') ?? 0;
  const { maxAge } = lab.operations.verification;
  findings.promise(
    'V8',
    'A verified restore that is too old is noticed.',
    fresh <= maxAge && stale > maxAge,
    `${formatSeconds(fresh)}, then ${formatSeconds(stale)}; the limit is ${formatSeconds(maxAge)}`,
  );

  await lab.run(expireRecoveryPoints, { scheduledAt: due(lab) });
  const after = await held();
  // All of them are past their retention by now: what may stay is the newest verified one and the newest one at all.
  const mayStay = new Set([newest?.id, before[0]?.id]);
  const kept = newest !== undefined && after.some((point) => point.id === newest.id);
  findings.promise(
    'B3',
    'What is past its retention is removed; the newest verified backup is not.',
    kept && after.every((point) => mayStay.has(point.id)),
    `${before.length - after.length} of ${before.length} removed`,
  );

  await lab.run(sweepOrphans, { scheduledAt: due(lab) });
  const owned = new Set(
    (await list()).flatMap((point) =>
      point.locations.filter((location) => location.status === 'available').map((location) => location.snapshotId),
    ),
  );
  const orphans = (await databases.listSnapshots(region)).filter((snapshot) => !owned.has(snapshot.snapshotId));
  const restored = await databases.listRestored(region);
  const untouched = foreign();
  findings.promise(
    'B3.orphans',
    'The sweeper leaves nothing that no backup owns, and touches nothing of others.',
    orphans.length + restored.length === 0 && untouched,
    `${orphans.length + restored.length} left, the other's snapshot ${untouched ? 'untouched' : 'GONE'}`,
  );
}

/** B9 */
async function refuseSchedule({ lab, findings }: Stage): Promise<void> {
  let refusal = 'it was accepted';
  let held = false;
  try {
    labOperations(lab.operations.profile, [], undefined, { pointInTime: { enabled: false }, objectives: { rpo: hours(1) } });
  } catch (error) {
    held = error instanceof InvalidConfig && error.problems.every((problem) => problem.path.startsWith('databases[0].objectives.rpo'));
    const wanted = error instanceof InvalidConfig ? (error.problems[0]?.wanted ?? '') : String(error);
    refusal = wanted.slice(Math.max(0, wanted.indexOf('by snapshots:'))).replace('by snapshots: ', '');
  }
  findings.promise('B9', 'A schedule that cannot meet its objective is refused, with the arithmetic.', held, refusal.replaceAll('\n', ' '));
}

/** P4 */
async function auditComplete({ lab, findings }: Stage): Promise<void> {
  const events = await lab.ports().auditLog.recent(new Date(0), 100_000);
  const outcomes = new Set(events.filter((event) => event.phase === 'outcome').map((event) => event.actId));
  const open = events.filter((event) => event.phase === 'intent' && !outcomes.has(event.actId));
  // The backup that was killed could not write its outcome: its intent is the trace it left.
  const expected = open.every((event) => event.action === 'create-snapshot');
  findings.promise(
    'P4',
    'Every act is in the audit log: intent before, outcome after.',
    events.length > 0 && open.length <= 1 && expected,
    `${events.length} events, ${open.length} interrupted`,
  );
}
