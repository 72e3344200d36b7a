import { audited } from '../audit/audited.ts';
import { before, days, minutes } from '../common/duration.ts';
import { timeSlug, timestamp } from '../common/ids.ts';
import type { PortsFor } from '../common/ports.ts';
import type { TaskContext } from '../common/task.ts';
import type { TableBackup } from './ports.ts';

/** How long backups of Codeblue's own tables are kept; the newest available one always is. */
const keep = days(30);

type Context = PortsFor<'state-backups:backup' | 'executions:prove-tables'> & TaskContext;

/** One table's backup, and the execution that restores and compares it. */
interface TestedBackup {
  readonly table: string;
  readonly name: string;
  readonly execution: string;
}

/**
 * Backs up tables of this Region (row B5), removes their backups that are past their time, and starts a restore test of each new one. Backup and test are named after the
 * time that the run was due, so a repeated run finds those of the first.
 */
export async function backUpTables(tables: readonly string[], actor: string, context: Context): Promise<readonly TestedBackup[]> {
  const { stateBackups, clock, scheduledAt } = context;
  const name = `cb-${timeSlug(scheduledAt)}`;
  const tested: TestedBackup[] = [];
  for (const table of tables) {
    const askedAt = clock.now();
    const act = { actor, action: 'backup-table', resource: `${table}/${name}` };
    const backup = await audited(context, act, () => stateBackups.backup(table, name));
    for (const old of tableBackupsToExpire(await stateBackups.list(table), clock.now())) {
      const removal = { actor, action: 'remove-table-backup', resource: `${table}/${old.name}` };
      await audited(context, removal, () => stateBackups.remove(table, old.name));
    }
    // A repeated run finds the backup that the first one took, so that one's time counts.
    const takenAt = new Date(Math.min(backup.createdAt.getTime(), askedAt.getTime()));
    tested.push({ table, name, execution: await startRestoreTest(table, name, takenAt, context) });
  }
  return tested;
}

async function startRestoreTest(table: string, backupName: string, takenAt: Date, context: Context): Promise<string> {
  const { executions, operations, region, scheduledAt } = context;
  const name = `cbv-${table}-${timeSlug(scheduledAt)}`.slice(0, 80);
  await executions.start({
    region,
    machine: 'verify-state-backup',
    name,
    // Items written around the request may or may not be in the backup; those a minute before it must be.
    input: {
      table,
      backupName,
      into: `${operations.name}-restored-${timeSlug(scheduledAt)}-${table}`.slice(0, 200),
      until: timestamp(before(takenAt, minutes(1))),
      checks: [],
    },
  });
  return name;
}

/** Past their retention, oldest first; never the newest available one. */
export function tableBackupsToExpire(backups: readonly TableBackup[], now: Date): readonly TableBackup[] {
  const newest = backups.filter((backup) => backup.status === 'available').sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0];
  return backups
    .filter((backup) => backup !== newest && backup.status !== 'creating' && now.getTime() - backup.createdAt.getTime() > keep * 1000)
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}
