import { type Command, Option } from 'commander';
import { type Duration, days } from '../functions/common/duration.ts';
import { durationGiven } from './duration-given.ts';
import { endGiven, forOption, yesOption } from './incident-options.ts';
import { MisusedCommand } from './misused-command.ts';
import { openForVerb, openWhereAnswered, type ProgramContext } from './program-context.ts';
import { withProgress } from './progress.ts';
import { timeWithZone } from './time-with-zone.ts';
import { assertIncidentsAreOn } from './verbs/incident/incident-named.ts';
import { overridePorts, planEndOfOverride, planOverride, putOverride, renderOverride } from './verbs/oncall/override.ts';
import { onCallShowPorts, renderOnCall, showOnCall } from './verbs/oncall/show.ts';
import { onCallTestPorts, planTest, renderPlannedTest, renderTestPages, testPages } from './verbs/oncall/test.ts';

const examples = `
Examples
  codeblue oncall show                       who is on duty now, and who comes next
  codeblue oncall override on-call --person bob --for 8h
  codeblue oncall test                       does a page reach everybody on duty?`;

/** Who is told. */
export function addOnCall(program: Command, context: ProgramContext): void {
  const oncall = program.command('oncall').description('who is on duty, and whether a page reaches them').addHelpText('after', examples);
  oncall
    .command('show')
    .description('who is on duty now and next; exits with 1 when nobody is')
    .addOption(new Option('--ahead <time>', 'how far to look').argParser(durationGiven).default(days(14), '14d'))
    .action(async (options: { ahead: Duration }, command: Command) => {
      const { session, terminal, show } = await openWhereAnswered(context, command, onCallShowPorts);
      const shown = await showOnCall(session, options.ahead);
      show(shown, (each) => renderOnCall(each, terminal));
      if (shown.schedules.some(({ turns }) => !turns[0]?.person)) context.exitCode = 1;
    });
  addOverride(oncall, context);
  oncall
    .command('test')
    .description('send a synthetic page by every way to everybody on duty; exits with 1 when a channel does not take it')
    .addOption(yesOption())
    .action(async (options: { yes?: true }, command: Command) => {
      const { session, terminal, principal, show, mayDo } = await openForVerb(context, command, onCallTestPorts);
      assertIncidentsAreOn(session.operations);
      const by = await principal();
      if (!(await mayDo(renderPlannedTest(await planTest(session)), options))) return;
      const pages = await withProgress(terminal, 'test page', (report) => testPages(session, by, report));
      show({ pages }, (each) => renderTestPages(each.pages, terminal));
      if (pages.some(({ status }) => status !== 'accepted')) context.exitCode = 1;
    });
}

interface OverrideOptions {
  readonly person?: string;
  readonly from?: string;
  readonly until?: string;
  readonly for?: Duration;
  readonly end?: string;
  readonly yes?: true;
}

function addOverride(oncall: Command, context: ProgramContext): void {
  oncall
    .command('override')
    .description("somebody takes somebody else's turn; --end ends one")
    .argument('[schedule]', 'whose duty')
    .option('--person <id>', 'who takes it')
    .option('--from <time>', 'with its zone (default: now)')
    .option('--until <time>', 'with its zone: 2026-11-21T07:30:00Z')
    .addOption(forOption('so long: 8h, 2d'))
    .option('--end <override>', 'end this one')
    .addOption(yesOption())
    .action(async (schedule: string | undefined, { person, ...options }: OverrideOptions, command: Command) => {
      const { session, principal, show, mayDo } = await openWhereAnswered(context, command, overridePorts);
      const by = await principal();
      if (options.end !== undefined) {
        const ended = await putOverride(session, await planEndOfOverride(session, options.end), 'end-override', by);
        return show(ended, ({ overrideId, schedule: of }) => `${overrideId} is ended: the rotation of ${of} counts again.`);
      }
      if (schedule === undefined || person === undefined) {
        throw new MisusedCommand('who takes whose duty?', { hint: 'codeblue oncall override on-call --person bob --for 8h' });
      }
      const from = options.from === undefined ? {} : { from: timeWithZone('--from', options.from) };
      const until = endGiven(options, from.from ?? session.clock.now());
      const override = planOverride(session, { schedule, person, ...from, until }, by);
      if (!(await mayDo(renderOverride(override), options))) return;
      show(await putOverride(session, override, 'override-on-call', by), renderOverride);
    });
}
