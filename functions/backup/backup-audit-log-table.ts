import { z } from 'zod';
import { minutes } from '../common/duration.ts';
import { daily } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { backUpTables } from './back-up-tables.ts';

/**
 * Backs up the table of this Region's audit log (row B5), and starts the restore test of the backup. No other Region has that table, so every Region does it for itself, whoever
 * leads: nothing is asked of the lead, and no move of it can leave a day out or do one twice.
 */
export const backupAuditLogTable = defineTask({
  name: 'backup-audit-log-table',
  summary: "Backs up the table of this Region's audit log and starts its restore test.",
  schedule: daily('01:00'),
  runsIn: 'every',
  timeout: minutes(10),
  needs: ['state-backups:backup-log', 'executions:prove-tables'],
  input: z.strictObject({}),
  async run(_, context) {
    return { backups: await backUpTables([context.stateBackups.logTable()], 'task/backup-audit-log-table', context) };
  },
});
