import type { Command } from 'commander';
import { MisusedCommand } from './misused-command.ts';
import { openWhereAnswered, type ProgramContext } from './program-context.ts';
import { withProgress } from './progress.ts';
import { timeWithZone } from './time-with-zone.ts';
import {
  containPorts,
  planContainment,
  renderContainmentOutcome,
  renderPlannedContainment,
  startContainment,
} from './verbs/failover/contain.ts';
import {
  planRelease,
  releaseContainment,
  releasePorts,
  renderPlannedRelease,
  renderRelease,
} from './verbs/failover/release-containment.ts';

interface ContainOptions {
  readonly reason?: string;
  readonly since?: string;
  readonly recoverTo?: string;
  readonly database?: string;
  readonly release?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Shuts the application out when somebody is in who must not be, and keeps what shows what they did. */
export function addContain(program: Command, context: ProgramContext): void {
  program
    .command('contain')
    .description(
      'a breach: shut the application out of every database, keep snapshots and logs under lock, tell people; --release opens again',
    )
    .option('--reason <text>', 'what happened; without patient data, it stands in the audit log and the report')
    .option('--since <time>', 'first sign of it, with its zone: logs are kept from then on (default: a day ago)')
    .option(
      '--recover-to <time>',
      'afterwards bring --database back to this second, at which it was certainly clean; somebody must approve',
    )
    .option('--database <id>', 'the database to bring back')
    .option('--release', 'end it: open the network in every Region, and take the hold away')
    .option('--yes', 'begin without asking')
    .option('--dry-run', 'show what would be done')
    .action(async (options: ContainOptions, command: Command) => {
      if (options.release) await release(context, command, options);
      else await contain(context, command, options);
    });
}

async function contain(context: ProgramContext, command: Command, options: ContainOptions): Promise<void> {
  const { yes, dryRun = false, reason = '', database } = options;
  if (reason.trim() === '' || reason.length > 500) {
    throw new MisusedCommand('a breach wants its reason, in 500 characters at most', { hint: 'codeblue contain --reason "..."' });
  }
  if ((options.recoverTo === undefined) !== (database === undefined)) {
    throw new MisusedCommand('--recover-to and --database go together', { hint: 'Which database, back to which second?' });
  }
  const since = options.since === undefined ? {} : { since: timeWithZone('--since', options.since) };
  const recover =
    options.recoverTo !== undefined && database !== undefined
      ? { recover: { database, until: timeWithZone('--recover-to', options.recoverTo) } }
      : {};
  const { session, terminal, principal, show, mayDo } = await openWhereAnswered(context, command, containPorts);
  const requestedBy = await principal();
  const planned = await planContainment(session, { reason, requestedBy, ...since, ...recover });
  if (dryRun) return show(planned, (each) => `${renderPlannedContainment(each)}\n\nNothing was done.`);
  if (!(await mayDo(renderPlannedContainment(planned), { yes }))) return;
  const outcome = await withProgress(terminal, planned.execution.name, (report) => startContainment(session, planned, requestedBy, report));
  show(outcome, renderContainmentOutcome);
  if (outcome.status !== 'succeeded') context.exitCode = 1;
}

async function release(context: ProgramContext, command: Command, { yes, dryRun = false }: ContainOptions): Promise<void> {
  const { session, principal, show, mayDo } = await openWhereAnswered(context, command, releasePorts);
  const planned = await planRelease(session);
  if (dryRun) return show(planned, (each) => `${renderPlannedRelease(each)}\n\nNothing was done.`);
  if (!(await mayDo(renderPlannedRelease(planned), { yes }))) return;
  const released = await releaseContainment(session, await principal());
  show(released, renderRelease);
  if (released.stillShut.length > 0) context.exitCode = 1;
}
