import type { Command } from 'commander';
import { openForVerb, type ProgramContext } from './program-context.ts';
import { withProgress } from './progress.ts';
import { timeWithZone } from './time-with-zone.ts';
import { planRecovery, recoverPorts, renderPlannedRecovery, renderRecoveryOutcome, startRecovery } from './verbs/failover/recover.ts';

interface RecoverOptions {
  readonly database: string;
  readonly to: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Puts a damaged database back to a second before. */
export function addRecover(program: Command, context: ProgramContext): void {
  program
    .command('recover')
    .description('put a damaged database of the Region that leads back to a second before; somebody else must approve the exchange')
    .requiredOption('--database <id>', 'the damaged database')
    .requiredOption('--to <time>', 'the last second that is still good, with its zone: 2026-11-21T07:30:00Z')
    .requiredOption('--reason <text>', 'what happened; without patient data, it stands in the audit log')
    .option('--yes', 'begin without asking')
    .option('--dry-run', 'show what would be restored from what, what is lost, and who must approve')
    .action(async ({ database, to, reason, yes, dryRun = false }: RecoverOptions, command: Command) => {
      const until = timeWithZone('--to', to);
      const { session, terminal, principal, show, mayDo } = await openForVerb(context, command, recoverPorts);
      const requestedBy = await principal();
      const planned = await planRecovery(session, { database, until, reason, requestedBy });
      if (dryRun) return show(planned, (each) => `${renderPlannedRecovery(each)}\n\nNothing was done.`);
      if (!(await mayDo(renderPlannedRecovery(planned), { yes }))) return;
      const outcome = await withProgress(terminal, planned.execution.name, (report) =>
        startRecovery(session, planned, requestedBy, report),
      );
      show(outcome, renderRecoveryOutcome);
      if (outcome.status !== 'succeeded') context.exitCode = 1;
    });
}
