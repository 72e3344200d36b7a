import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { before, days, minutes } from '../common/duration.ts';
import { timeSlug, timestamp } from '../common/ids.ts';
import { daily } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import type { TableBackup } from './ports.ts';

/** How long backups of Codeblue's own tables are kept; the newest available one always is. */
const keep = days(30);

/** Backs up Codeblue's own tables (row B5): state, audit events, and the Region's audit log; and starts a restore test of each backup. */
export const backupStateTables = defineTask({
  name: 'backup-state-tables',
  summary: "Backs up Codeblue's own state and audit tables and starts their restore test.",
  schedule: daily('01:00'),
  runsIn: 'active',
  timeout: minutes(10),
  needs: ['state-backups:backup', 'executions:start'],
  input: z.strictObject({}),
  async run(_, context) {
    const { stateBackups, executions, operations, region, clock, scheduledAt } = context;
    const backups = [];
    for (const table of stateBackups.tables()) {
      const name = `cb-${timeSlug(scheduledAt)}`;
      const takenAt = clock.now();
      const act = { actor: 'task/backup-state-tables', action: 'backup-table', resource: `${table}/${name}` };
      const backup = await audited(context, act, () => stateBackups.backup(table, name));
      for (const old of tableBackupsToExpire(await stateBackups.list(table), clock.now())) {
        const act = { actor: 'task/backup-state-tables', action: 'remove-table-backup', resource: `${table}/${old.name}` };
        await audited(context, act, () => stateBackups.remove(table, old.name));
      }
      const execution = `cbv-${table}-${timeSlug(scheduledAt)}`.slice(0, 80);
      await executions.start({
        region,
        machine: 'verify-state-backup',
        name: execution,
        // Items written around the request may or may not be in the backup; those a minute before it must be. A repeated run finds
        // the backup that the first one took, so that one's time counts.
        input: {
          table,
          backupName: name,
          into: `${operations.name}-restored-${timeSlug(scheduledAt)}-${table}`.slice(0, 200),
          until: timestamp(before(new Date(Math.min(backup.createdAt.getTime(), takenAt.getTime())), minutes(1))),
          checks: [],
        },
      });
      backups.push({ table, name, execution });
    }
    return { backups };
  },
});

/** Past their retention, oldest first; never the newest available one. */
export function tableBackupsToExpire(backups: readonly TableBackup[], now: Date): readonly TableBackup[] {
  const newest = backups.filter((backup) => backup.status === 'available').sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0];
  return backups
    .filter((backup) => backup !== newest && backup.status !== 'creating' && now.getTime() - backup.createdAt.getTime() > keep * 1000)
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
}
