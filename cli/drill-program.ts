import type { Command } from 'commander';
import { agreed, globalsOf, type ProgramContext, print } from './program-context.ts';
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
      const globals = globalsOf(command);
      const terminal = context.terminal(globals.json);
      const session = await context.host.openWhereAnswered(globals, drillPorts);
      const requestedBy = await context.host.principal(globals, session.region);
      const planned = await planDrill(session, { full, outsideWindows, requestedBy });
      if (!terminal.json) terminal.note(renderPlannedDrill(planned));
      if (!yes && !(await agreed(terminal, context.host))) {
        terminal.note('Nothing was done.');
        context.exitCode = 1;
        return;
      }
      const outcome = await withProgress(terminal, planned.execution.name, (report) => startDrill(session, planned, requestedBy, report));
      print(terminal, outcome, renderDrillOutcome);
      if (outcome.status !== 'succeeded') context.exitCode = 1;
    });
}
