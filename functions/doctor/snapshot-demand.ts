import type { Region } from '../common/ids.ts';
import type { Database, Operations } from '../common/operations.ts';
import type { Schedule } from '../common/schedule.ts';

/** "Manual DB instance snapshots" and "Manual DB cluster snapshots", 100 each per Region: Amazon RDS User Guide, "Quotas and constraints". */
export const defaultSnapshotQuota = 100;

/** "For each AWS account, you can copy up to 20 DB snapshots at a time from one AWS Region to another": RDS User Guide, "Copying a DB snapshot". */
export const concurrentCopies = 20;

function runsPerDay(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'every':
      return 86_400 / schedule.interval;
    case 'daily':
      return schedule.at.length;
    case 'weekly':
      return 1 / 7;
    case 'monthly':
      return 12 / 365;
    case 'quarterly':
      return 4 / 365;
  }
}

function heldBy(database: Database, role: 'home' | 'copy'): number {
  return (['daily', 'six-hourly'] as const).reduce((sum, kind) => {
    const schedule = database.backups[kind];
    return schedule ? sum + Math.ceil((runsPerDay(schedule) * database.retention[kind][role]) / 86_400) : sum;
  }, 0);
}

/** How many snapshots of an engine the retention keeps in a Region once it has filled up; emergency backups come on top. */
export function snapshotsHeld(operations: Operations, engine: Database['engine'], region: Region): number {
  return operations.databases
    .filter((database) => database.engine === engine)
    .reduce((sum, database) => {
      const home = region === operations.regions.primary ? heldBy(database, 'home') : 0;
      return sum + home + (database.copyTo.includes(region) ? heldBy(database, 'copy') : 0);
    }, 0);
}

/** The name that RDS counts an engine's manual snapshots under. */
export const snapshotQuotaName = (engine: Database['engine']): string =>
  engine === 'aurora-postgres' ? 'ManualClusterSnapshots' : 'ManualSnapshots';
