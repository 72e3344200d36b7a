import type { Command } from 'commander';
import { openWhereAnswered, type ProgramContext } from './program-context.ts';
import { withProgress } from './progress.ts';
import { drillPorts, planDrill, renderDrillOutcome, renderPlannedDrill, startDrill } from './verbs/failover/drill.ts';

interface DrillOptions {
  readonly full?: boolean;
  readonly outsideWindows?: boolean;
  readonly yes?: boolean;
}

/** Rehearsals and full tests, as their schedules would start them. */
export function addDrill(program: Command, context: ProgramContext): void {
  program
    .command('drill')
    .description('rehearse a failover beside the live system, and hold it against the objectives; --full moves the lead for real and back')
    .option('--full', 'move the lead for real and back; somebody else must approve it')
    .option('--outside-windows', 'now, although no change window is open')
    .option('--yes', 'begin without asking')
    .action(async ({ full = false, outsideWindows = false, yes }: DrillOptions, command: Command) => {
      const { session, terminal, principal, show, mayDo } = await openWhereAnswered(context, command, drillPorts);
      const requestedBy = await principal();
      const planned = await planDrill(session, { full, outsideWindows, requestedBy });
      if (!(await mayDo(renderPlannedDrill(planned), { yes }))) return;
      const outcome = await withProgress(terminal, planned.execution.name, (report) => startDrill(session, planned, requestedBy, report));
      show(outcome, renderDrillOutcome);
      if (outcome.status !== 'succeeded') context.exitCode = 1;
    });
}
