import { z } from 'zod';
import { minutes } from '../common/duration.ts';
import { daily } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { backUpTables } from './back-up-tables.ts';

/**
 * Backs up the replicated tables (row B5), state and audit events, and starts a restore test of each backup. Every Region has the same of them, so the Region that leads
 * does it for all; while the lead is being moved nobody does, and the run is caught up where it went.
 */
export const backupStateTables = defineTask({
  name: 'backup-state-tables',
  summary: "Backs up Codeblue's own state and audit tables and starts their restore test.",
  schedule: daily('01:00'),
  runsIn: 'active',
  timeout: minutes(10),
  needs: ['state-backups:backup', 'executions:prove-tables'],
  input: z.strictObject({}),
  async run(_, context) {
    return { backups: await backUpTables(context.stateBackups.replicatedTables(), 'task/backup-state-tables', context) };
  },
});
