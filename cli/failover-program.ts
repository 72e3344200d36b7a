import { type Command, InvalidArgumentError, Option } from 'commander';
import { regionsOf } from '../functions/common/operations-lookup.ts';
import type { ApprovalAnswer } from '../functions/failover/models.ts';
import { globalsOf, openWhereAnswered, type ProgramContext } from './program-context.ts';
import { withProgress } from './progress.ts';
import { answerQuestion, failoverAnswerPorts, questionNamed, renderQuestion } from './verbs/failover/answer.ts';
import { failbackPorts, planFailback, renderFailback, renderFailbackPlan, startFailback } from './verbs/failover/back.ts';
import { abortFailover, failoverHoldPorts, putHold, releaseHold } from './verbs/failover/hold.ts';
import { failoverPlanPorts, planWantedFailover, renderPlannedFailover } from './verbs/failover/plan.ts';
import { failoverReportOf, failoverReportPorts, renderFailoverReport } from './verbs/failover/report.ts';
import { failoverStartPorts, renderFailoverOutcome, startFailover } from './verbs/failover/start.ts';
import { failoverStatus, failoverStatusPorts, renderFailoverStatus } from './verbs/failover/status.ts';

const examples = `
Examples
  codeblue failover status                         who leads, what the observers see, what waits for an answer
  codeblue failover plan --planned                 what a planned change would do, step by step, and how long it takes
  codeblue failover start --reason "us-east-1 is down"
  codeblue failover approve 3f9a12cc               agree to what somebody else asked for; shows it first
  codeblue failover abort --reason "false alarm"   stop it, before the point of no return
  codeblue failover hold --until 2026-11-21T07:30:00Z --reason "storage maintenance"
  codeblue failover back --reason "us-east-1 is well again"

All of it works through any Region that answers; a machine starts in the Region that it is for. Pages to read at 3 a.m.: docs/runbooks/RegionLoss.md`;

/** Everything about who leads. */
export function addFailover(program: Command, context: ProgramContext): void {
  const failover = program
    .command('failover')
    .description('who leads, and moving the lead to another Region and back')
    .addHelpText('after', examples);
  addStatus(failover, context);
  addPlan(failover, context);
  addStart(failover, context);
  addAnswer(failover, context, 'approve', 'approved', 'agree to a question of the failover; shows all of it first');
  addAnswer(failover, context, 'reject', 'rejected', 'say no to a question of the failover');
  addHolds(failover, context);
  addBack(failover, context);
  addReport(failover, context);
}

function addStatus(failover: Command, context: ProgramContext): void {
  failover
    .command('status')
    .description('who leads, what the observers see, what they would decide; exits with 1 when there is something to look at')
    .action(async (_, command: Command) => {
      const { session, terminal, show } = await openWhereAnswered(context, command, failoverStatusPorts);
      const result = await failoverStatus(session);
      show(result, (each) => renderFailoverStatus(each, terminal));
      if (result.problems.length > 0) context.exitCode = 1;
    });
}

const to = () => new Option('--to <region>', 'the Region that shall lead (default: the only other one that can)');
const reason = (says: string) =>
  new Option('--reason <text>', says).makeOptionMandatory().argParser((text: string) => {
    if (text.trim() === '') throw new InvalidArgumentError('Wanted a reason in words.');
    if (text.length > 500) throw new InvalidArgumentError('Wanted 500 characters at most.');
    return text;
  });
const planned = () => new Option('--planned', 'both Regions are well: hand over without any loss, or not at all');

function addPlan(failover: Command, context: ProgramContext): void {
  failover
    .command('plan')
    .description('what a failover would do and how long it would take; changes nothing')
    .addOption(to())
    .addOption(planned())
    .action(async (options: { to?: string; planned?: true }, command: Command) => {
      const { session, principal, show } = await openWhereAnswered(context, command, failoverPlanPorts);
      const requestedBy = await principal();
      const wanted = { ...options, planned: options.planned ?? false, reason: 'dry run', requestedBy };
      show(await planWantedFailover(session, wanted), renderPlannedFailover);
    });
}

function addStart(failover: Command, context: ProgramContext): void {
  failover
    .command('start')
    .description('begin a failover: shows the plan, asks, and follows it to its end')
    .addOption(to())
    .addOption(planned())
    .addOption(reason('why, for the people who are asked and for the report'))
    .option('--yes', 'begin without asking')
    .action(async (options: { to?: string; planned?: true; reason: string; yes?: true }, command: Command) => {
      const { session, terminal, principal, show, mayDo } = await openWhereAnswered(context, command, failoverStartPorts);
      const requestedBy = await principal();
      const wanted = await planWantedFailover(session, { ...options, planned: options.planned ?? false, requestedBy });
      if (!(await mayDo(renderPlannedFailover(wanted), options))) return;
      if (!terminal.json) {
        terminal.note(
          globalsOf(command).lab === undefined
            ? 'Ctrl-C ends this view and not the failover; to stop that: codeblue failover abort'
            : 'Beside a lab the machine runs in this command: Ctrl-C ends it as a crash would. To stop the change: codeblue failover abort',
        );
      }
      const outcome = await withProgress(terminal, `failover to ${wanted.plan.to}`, (report) =>
        startFailover(session, wanted.plan, requestedBy, report),
      );
      show(outcome, renderFailoverOutcome);
      if (outcome.status !== 'succeeded' || outcome.standing !== 'leads') context.exitCode = 1;
    });
}

function addAnswer(failover: Command, context: ProgramContext, verb: string, answer: ApprovalAnswer['answer'], says: string): void {
  failover
    .command(verb)
    .description(says)
    .argument('<question>', 'the first digits of its hash, as the page and failover status show it')
    .option('--yes', 'answer without being asked again')
    .action(async (question: string, options: { yes?: true }, command: Command) => {
      const { session, principal, show, mayDo } = await openWhereAnswered(context, command, failoverAnswerPorts);
      const request = await questionNamed(session, question);
      if (!(await mayDo(renderQuestion(request), options))) return;
      const result = await answerQuestion(session, request, answer, await principal());
      show(result, ({ says: sentence }) => sentence);
      if (result.stored.answer !== answer) context.exitCode = 1;
    });
}

function addHolds(failover: Command, context: ProgramContext): void {
  failover
    .command('abort')
    .description('stop the change that is under way, before the point of no return: the lease goes back, and nothing moves for an hour')
    .addOption(reason('why, for the others'))
    .action(async (options: { reason: string }, command: Command) => {
      const { session, principal, show } = await openWhereAnswered(context, command, failoverHoldPorts);
      const by = await principal();
      show(await abortFailover(session, { ...options, by }), ({ hold, record }) =>
        record.phase === 'claimed'
          ? `Epoch ${record.epoch} gives the lease back at its next step. Nothing moves before ${hold.until}; to end that sooner: codeblue failover release`
          : `${record.holder} leads and keeps the lead; a machine that was about to begin ends. Nothing moves before ${hold.until}; to end that sooner: codeblue failover release`,
      );
    });
  failover
    .command('hold')
    .description('nothing moves until then: for maintenance, or an incident that people handle')
    .requiredOption('--until <time>', 'with its zone: 2026-11-21T07:30:00Z')
    .addOption(reason('why, for the others'))
    .action(async (options: { until: string; reason: string }, command: Command) => {
      const { session, principal, show } = await openWhereAnswered(context, command, failoverHoldPorts);
      const hold = await putHold(session, { ...options, by: await principal() });
      show(hold, ({ until }) => `Nothing moves before ${until}. To end it sooner: codeblue failover release`);
    });
  failover
    .command('release')
    .description('end the hold')
    .action(async (_, command: Command) => {
      const { session, principal, show } = await openWhereAnswered(context, command, failoverHoldPorts);
      const released = await releaseHold(session, await principal());
      show({ released: released ?? null }, (each) => (each.released ? `The hold of ${each.released.by} is ended.` : 'There was no hold.'));
    });
}

function addBack(failover: Command, context: ProgramContext): void {
  failover
    .command('back')
    .description('list what only the old primary had, rebuild it as a replica, prove it, and hand the lead back without loss')
    .addOption(reason('why, for the people who are asked and for the report'))
    .option('--no-hand-over', 'only rebuild: the lead stays where it is')
    .option('--yes', 'begin without asking')
    .action(async (options: { reason: string; handOver: boolean; yes?: true }, command: Command) => {
      const { session, terminal, principal, show, mayDo } = await openWhereAnswered(context, command, failbackPorts);
      const requestedBy = await principal();
      const request = await planFailback(session, { handOver: options.handOver, reason: options.reason, requestedBy });
      if (!(await mayDo(renderFailbackPlan(request), options))) return;
      const result = await withProgress(terminal, request.failbackId, (report) => startFailback(session, request, requestedBy, report));
      show(result, renderFailback);
      if (result.status !== 'succeeded') context.exitCode = 1;
    });
}

function addReport(failover: Command, context: ProgramContext): void {
  failover
    .command('report')
    .description('what a change of leadership came to: time by phase against the objectives, loss against the budget')
    .argument('[epoch]', 'the newest when left out')
    .action(async (epoch: string | undefined, _, command: Command) => {
      const { session, show } = await openWhereAnswered(context, command, failoverReportPorts);
      show(await failoverReportOf(session, regionsOf(session.operations), epoch), renderFailoverReport);
    });
}
