import { faults, objectiveFor, protectionsAgainst } from '../backup/recovery-objective.ts';
import { formatSeconds } from '../common/duration.ts';
import type { Database, Operations } from '../common/operations.ts';
import { regionsOf } from '../common/operations-lookup.ts';
import { alarmFindings } from './alarm-findings.ts';
import { failoverConfigFindings } from './failover-findings.ts';
import { type Finding, ok, warning } from './finding.ts';
import { incidentConfigFindings } from './incident-findings.ts';
import { placeholderFindings } from './placeholders.ts';
import { scheduleFindings } from './schedule-findings.ts';
import { concurrentCopies, defaultSnapshotQuota, snapshotQuotaName, snapshotsHeld } from './snapshot-demand.ts';

/**
 * What the config alone tells. It has been accepted already, so nothing here is refused: these are things to know, and
 * placeholders that were left in.
 *
 * @param forLab a lab has no account: placeholders are right there, and no quota applies
 */
export function configFindings(operations: Operations, now: Date, { forLab = false } = {}): readonly Finding[] {
  const databases = operations.databases.flatMap((database, index) =>
    databaseFindings(database, `databases[${index}]`, operations.timeZone),
  );
  return [
    ...(forLab ? [] : placeholderFindings(operations)),
    ...databases,
    ...scheduleFindings(operations, now),
    ...failoverConfigFindings(operations, { forLab }),
    ...incidentConfigFindings(operations.incidents, now),
    ...alarmFindings(operations),
    ...(forLab ? [] : [...quotaFindings(operations), ...copyFindings(operations)]),
    vaultFinding(operations.vaultLock.mode),
    auditLockFinding(operations.audit.retention),
  ];
}

function databaseFindings(database: Database, path: string, timeZone: string): Finding[] {
  const found: Finding[] = [];
  for (const fault of faults) {
    const best = [...protectionsAgainst(fault, database, timeZone)].sort((a, b) => a.worstLossSeconds - b.worstLossSeconds)[0];
    if (!best) continue;
    const loss = `after ${fault.replace('-', ' ')} at most ${formatSeconds(best.worstLossSeconds)} of data are lost, by ${best.means}`;
    found.push(
      ok(`${path}.objectives`, `${loss} (${best.arithmetic}); the RPO is ${formatSeconds(objectiveFor(fault, database.objectives))}`),
    );
  }
  if (!database.pointInTime.enabled) {
    found.push(
      warning(
        `${path}.pointInTime`,
        'no transaction log is kept: a restore loses everything since the last backup',
        'Write enabled: true.',
      ),
    );
  }
  if (database.copyTo.length === 0) {
    found.push(warning(`${path}.copyTo`, 'no Region is named: all backups are lost with the primary Region', 'Name the standby Region.'));
  }
  if (database.invariants.length === 0) {
    const mend =
      'Add invariants: SQL that returns the rows breaking a rule. functions/verify/hospital-pack.ts ships a set for hospital schemas.';
    found.push(
      warning(
        `${path}.invariants`,
        'there are none: a restored copy is compared with the original, and no rule of your own is asked',
        mend,
      ),
    );
  }
  return found;
}

function quotaFindings(operations: Operations): Finding[] {
  return (['rds-postgres', 'aurora-postgres'] as const).flatMap((engine) =>
    regionsOf(operations).flatMap((region) => {
      const held = snapshotsHeld(operations, engine, region);
      if (held <= defaultSnapshotQuota) return [];
      const says = `retention keeps about ${held} manual snapshots in ${region}; AWS allows ${defaultSnapshotQuota} unless more were granted`;
      return [
        warning('retention', says, `Ask for a higher RDS quota (${snapshotQuotaName(engine)}) in ${region}, or shorten the retention.`),
      ];
    }),
  );
}

function copyFindings({ databases }: Operations): Finding[] {
  const regions = [...new Set(databases.flatMap(({ copyTo }) => copyTo))];
  return regions.flatMap((region) => {
    const count = databases.filter(({ copyTo }) => copyTo.includes(region)).length;
    if (count <= concurrentCopies) return [];
    const says = `${count} databases copy to ${region}; RDS runs ${concurrentCopies} copies at a time into one Region`;
    return [warning('databases', says, 'Spread the backup times, so that fewer copies run at once: the rest wait.')];
  });
}

function vaultFinding(mode: Operations['vaultLock']['mode']): Finding {
  if (mode === 'compliance') return ok('vaultLock', 'locked copies cannot be removed by anybody before their time');
  if (mode === 'simulate') return ok('vaultLock', 'simulated: it tells what a lock would hold, and locks nothing');
  return warning(
    'vaultLock',
    'off: whoever may delete backups can delete them all',
    "Write mode: 'simulate', look at what it reports, then 'compliance'.",
  );
}

function auditLockFinding({ mode, days }: Operations['audit']['retention']): Finding {
  if (mode === 'compliance') return ok('audit.retention', `nobody, AWS included, can remove the audit log's objects for ${days} days`);
  return warning(
    'audit.retention.mode',
    "governance: whoever may change the bucket's policy can remove the audit log before its time",
    "Write mode: 'compliance' before the first real event. It holds for new objects; those that are there keep the lock that they have.",
  );
}
