import { type Command, InvalidArgumentError, Option } from 'commander';
import { refuseNaming } from '../functions/audit/erase/plan-erasure.ts';
import { several } from './audit-options.ts';
import { reasonOption, yesOption } from './incident-options.ts';
import { openWhereAnswered, type ProgramContext } from './program-context.ts';
import { withProgress } from './progress.ts';
import { auditErasePorts, carryOutErasure, erasureTarget, isRefusedInPart, planOf, renderErasurePlan } from './verbs/audit/erase.ts';

interface EraseOptions {
  readonly event?: readonly string[];
  readonly patient?: string;
  readonly reason: string;
  readonly basis: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

const basisOption = () =>
  new Option('--basis <law>', 'by which law: "GDPR Art. 17(1)(b)"').makeOptionMandatory().argParser((text: string) => {
    if (text.trim() !== '' && text.length <= 200) return text;
    throw new InvalidArgumentError('Wanted 1 to 200 characters.');
  });

/** Erases what events hold. The plan is shown before, and what is kept makes it exit with 1. */
export function addErase(audit: Command, context: ProgramContext): void {
  audit
    .command('erase')
    .description('forget what events say (GDPR): bodies go for ever, leaves and proofs stay; shows the plan and asks before it does it')
    .option('--event <id>', 'an event by its id; can be given again', several)
    .option(
      '--patient <ref>',
      "all events about one patient, by the application's opaque id, and the readings of the log that looked for them",
    )
    .addOption(reasonOption('why, such as the number of the request: it stays in the log for ever, so nothing that tells who a patient is'))
    .addOption(basisOption())
    .option('--dry-run', 'show the plan and do nothing')
    .addOption(yesOption())
    .action(async (options: EraseOptions, command: Command) => {
      const { session, terminal, principal, show, mayDo } = await openWhereAnswered(context, command, auditErasePorts);
      const by = `cli/${await principal()}`.slice(0, 200);
      const target = erasureTarget(session, options);
      refuseNaming(target, [options.reason, options.basis]);
      const plan = await withProgress(terminal, 'audit erase', (report) => {
        report('looking for the events');
        return planOf(session, target, { by, purpose: `plan of an erasure: ${options.reason}`.slice(0, 300) });
      });
      if (isRefusedInPart(plan)) context.exitCode = 1;
      if (options.dryRun || plan.erase.length === 0) return show({ plan, erased: 0 }, () => renderErasurePlan(plan));
      if (!(await mayDo(renderErasurePlan(plan), options))) return;
      const { reason, basis } = options;
      const { erased } = await withProgress(terminal, 'audit erase', (report) =>
        carryOutErasure(session, plan, { by, reason, basis }, report),
      );
      show(
        { plan, erased },
        () => `${erased} ${erased === 1 ? 'event' : 'events'} erased. Their leaves and proofs stay; that they were erased is in the log.`,
      );
    });
}
