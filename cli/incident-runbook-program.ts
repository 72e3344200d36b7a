import type { Command } from 'commander';
import { MisusedCommand } from './misused-command.ts';
import { openForVerb, type ProgramContext } from './program-context.ts';
import { incidentNamed } from './verbs/incident/incident-named.ts';
import { answerRun, planRun, renderPlannedRun, runbookPorts, startRun } from './verbs/incident/runbook.ts';

interface RunbookOptions {
  readonly dryRun?: boolean;
  readonly run?: boolean;
  readonly yes?: boolean;
  readonly incident?: string;
  readonly approve?: string;
  readonly reject?: string;
}

/** Automated runbooks by hand: what one would do, doing it, and answering one that asks. */
export function addRunbook(incident: Command, context: ProgramContext): void {
  incident
    .command('runbook')
    .description('an automated runbook of the config: what it would do now, or do it')
    .argument('<id>', 'its id in incidents.runbooks')
    .option('--dry-run', 'show exactly what would be done, and whether it may')
    .option('--run', 'do it, within its guard')
    .option('--incident <incident>', 'the incident that it is for: its timeline says what was done')
    .option('--approve <question>', 'answer one that asks: the first 8 or more digits of the question')
    .option('--reject <question>', 'answer one that asks: no')
    .option('--yes', 'begin without asking')
    .action(async (runbookId: string, options: RunbookOptions, command: Command) => {
      const { dryRun, run, approve, reject } = options;
      if ([dryRun, run, approve, reject].filter((each) => each !== undefined).length !== 1) {
        throw new MisusedCommand('say one thing that is to be done', {
          hint: '--dry-run, --run, --approve <question> or --reject <question>',
        });
      }
      const { session, principal, show, mayDo } = await openForVerb(context, command, runbookPorts);
      const by = await principal();
      const question = approve ?? reject;
      if (question !== undefined) {
        const answer = approve === undefined ? 'rejected' : 'approved';
        return show(await answerRun(session, { beginning: question, answer, by }), (told) => `${told.question}\n${told.says}`);
      }
      const about = options.incident === undefined ? undefined : await incidentNamed(session, options.incident);
      const planned = await planRun(session, { runbookId, requestedBy: by, incident: about });
      if (dryRun) return show(planned, (each) => `${renderPlannedRun(each)}\n\nNothing was done.`);
      if (!(await mayDo(renderPlannedRun(planned), options))) return;
      show(await startRun(session, planned), ({ runId, region }) => `started ${runId} in ${region}; a notice says how it ends`);
    });
}
