import { Command, Option } from 'commander';
import { examine } from '../functions/doctor/examine.ts';
import { addAudit } from './audit-program.ts';
import { addContain } from './contain-program.ts';
import { addDrill } from './drill-program.ts';
import { addFailover } from './failover-program.ts';
import { addIncident } from './incident-program.ts';
import { MisusedCommand } from './misused-command.ts';
import { addOnCall } from './oncall-program.ts';
import { globalsOf, openForVerb, type ProgramContext, print } from './program-context.ts';
import { withProgress } from './progress.ts';
import { addRecover } from './recover-program.ts';
import { backupListPorts, listBackups, renderBackupList } from './verbs/backup-list.ts';
import { backupNow, backupNowPorts, planBackupNow, renderBackupNow, renderBackupNowPlan } from './verbs/backup-now.ts';
import { hasProblem, renderExamination } from './verbs/doctor.ts';
import { renderRestorePlan, restorePlan, restorePlanPorts } from './verbs/restore-plan.ts';
import { renderStatus, status, statusPorts } from './verbs/status.ts';
import { listTasks, renderTasks, tasksPorts } from './verbs/tasks.ts';
import { pickForVerification, renderProof, verify, verifyPorts } from './verbs/verify.ts';
import { renderOfflineVerification, verifyProof } from './verbs/verify-proof.ts';

const examples = `
Examples
  codeblue doctor                        is the config right, is the account ready?
  codeblue status                        are there backups, are they proven, how long does a restore take?
  codeblue backup now --database hms     take a backup now, outside of the schedule
  codeblue backup list                   what there is, where, and what was verified
  codeblue verify                        restore the newest backup, compare it, sign the proof
  codeblue restore --plan --to 2026-11-21T07:30:00Z
  codeblue failover status               who leads, what the observers see, what waits for an answer
  codeblue failover plan                 what a failover would do, and how long it would take
  codeblue recover --database hms --to 2026-11-21T07:30:00Z --reason "orders were deleted" --dry-run
  codeblue contain --reason "a key of ours was found outside" --dry-run
  codeblue incident list                 what is wrong now, and who answers
  codeblue oncall show                   who is on duty
  codeblue audit log --since 7d          who did what to which record
  codeblue drill                         rehearse a failover beside the live system
  codeblue lab                           the whole system on this machine, no AWS needed
  codeblue status --lab                  look into a lab that was started with: codeblue lab --keep

Exit codes: 0 all is well, 1 something is wrong (refused backup, problem found, error), 2 the command was not understood.`;

/** The command line. Verbs read from and write to the context only, so tests run it whole. */
export function buildProgram(context: ProgramContext): Command {
  const program = new Command('codeblue')
    .description('Backs up hospital databases on AWS, proves every backup by restoring it, and moves them to another Region.')
    .version(context.host.version, '--version', 'print the version')
    .helpOption('--help', 'explain a command')
    .option('--json', 'print one JSON document instead of text')
    .option('--config <file>', 'the deployment to work on (default: codeblue.config.ts here)')
    .addOption(new Option('--lab [directory]', 'work on a lab that runs on this machine; with several, name its directory'))
    .option('--region <region>', 'the Region to ask and to restore in (default: the one that leads)')
    .option('--as <person>', 'in a lab, which knows no identities: who you are (lab/alice and lab/bob may approve)')
    .option('--debug', 'with unexpected errors, print where they came from')
    .addHelpText('after', examples)
    .exitOverride();
  addStatus(program, context);
  addBackup(program, context);
  addVerify(program, context);
  addRestore(program, context);
  addDoctor(program, context);
  addTasks(program, context);
  addFailover(program, context);
  addDrill(program, context);
  addRecover(program, context);
  addContain(program, context);
  addIncident(program, context);
  addOnCall(program, context);
  addAudit(program, context);
  program.command('lab').description('run the whole system on this machine: codeblue lab --help tells its options').allowUnknownOption();
  return program;
}

function addStatus(program: Command, context: ProgramContext): void {
  program
    .command('status')
    .description('what is backed up and proven, and what is not; exits with 1 when something is wrong')
    .action(async (_, command: Command) => {
      const { session, terminal, show } = await openForVerb(context, command, statusPorts);
      const tasks = await context.host.tasks();
      const result = await withProgress(terminal, 'status', (report) => {
        report('reading inventory, proofs and ledger');
        return status(session, tasks);
      });
      show(result, (each) => renderStatus(each, terminal));
      if (result.databases.some(({ problems }) => problems.length > 0)) context.exitCode = 1;
    });
}

function addBackup(program: Command, context: ProgramContext): void {
  const backup = program.command('backup').description('take a backup, or list the ones there are');
  backup
    .command('now')
    .description('take an emergency backup; shows what it would do and asks before it does it')
    .requiredOption('--database <id>', 'the database to back up')
    .option('--yes', 'do it without asking')
    .action(async (options: { database: string; yes?: true }, command: Command) => {
      const { session, terminal, show, mayDo } = await openForVerb(context, command, backupNowPorts);
      const plan = await planBackupNow(session, options.database);
      if (!(await mayDo(renderBackupNowPlan(plan), options))) return;
      const point = await withProgress(terminal, `backup ${plan.recoveryPointId}`, (report) =>
        backupNow(session, plan, context.host.operator, report),
      );
      show(point, renderBackupNow);
    });
  backup
    .command('list')
    .description('the inventory: what there is, where, how big, verified or not')
    .option('--database <id>', 'only the backups of this database')
    .option('--all', 'also those that were removed or failed')
    .action(async (options: { database?: string; all?: true }, command: Command) => {
      const { session, terminal, show } = await openForVerb(context, command, backupListPorts);
      show(await listBackups(session, options), (each) => renderBackupList(each, terminal));
    });
}

function addVerify(program: Command, context: ProgramContext): void {
  program
    .command('verify')
    .description('restore a backup into isolation, compare it, tear it down, sign the proof; or check a proof offline')
    .argument('[backup]', 'id of the backup; the newest one when left out')
    .option('--database <id>', 'the database whose newest backup to verify')
    .option('--proof <file>', 'check this signed proof instead, with nothing but the key')
    .option('--key <file>', 'the public key (PEM) for --proof')
    .action(async (backup: string | undefined, options: { database?: string; proof?: string; key?: string }, command: Command) => {
      if (options.proof !== undefined || options.key !== undefined) return checkProof(context, command, options);
      const { session, terminal, show } = await openForVerb(context, command, verifyPorts);
      const picked = await pickForVerification(session, { recoveryPoint: backup, database: options.database });
      const signed = await withProgress(terminal, `verify ${picked.point.id}`, (report) =>
        verify(session, picked, context.host.operator, report),
      );
      show(signed, (each) => renderProof(each, terminal));
      if (signed.proof.outcome === 'refused') context.exitCode = 1;
    });
}

async function checkProof(
  context: ProgramContext,
  command: Command,
  { proof, key }: { readonly proof?: string; readonly key?: string },
): Promise<void> {
  if (proof === undefined || key === undefined) {
    throw new MisusedCommand('an offline verification needs both a proof and a key', {
      hint: 'codeblue verify --proof proof.json --key public-key.pem',
    });
  }
  const terminal = context.terminal(globalsOf(command).json);
  const result = verifyProof(await context.host.readFile(proof), await context.host.readFile(key));
  print(terminal, result, (each) => renderOfflineVerification(each, terminal));
  if (!result.signatureValid || result.signed.proof.outcome === 'refused') context.exitCode = 1;
}

function addRestore(program: Command, context: ProgramContext): void {
  program
    .command('restore')
    .description('how a restore would go: from what, what is lost, how long it takes; this version only plans')
    .option('--plan', 'show the plan')
    .option('--database <id>', 'the database to restore')
    .option('--to <time>', 'the state at this time, with its zone: 2026-11-21T07:30:00Z')
    .option('--point <backup>', 'this backup')
    .action(async (options: { plan?: true; database?: string; to?: string; point?: string }, command: Command) => {
      if (!options.plan)
        throw new MisusedCommand('this version plans a restore and does not carry it out', { hint: 'Add --plan to see how it would go.' });
      const { session, terminal, show } = await openForVerb(context, command, restorePlanPorts);
      show(await restorePlan(session, options), (each) => renderRestorePlan(each, terminal));
    });
}

function addDoctor(program: Command, context: ProgramContext): void {
  program
    .command('doctor')
    .description('examine the config and, with credentials, the account; each finding says how to mend it; changes nothing')
    .action(async (_, command: Command) => {
      const globals = globalsOf(command);
      const terminal = context.terminal(globals.json);
      const { operations, clock, account } = await context.host.openForDoctor(globals);
      const result = await withProgress(terminal, 'doctor', (report) => {
        report(account ? 'examining the config and asking the account' : 'examining the config');
        return examine(operations, clock.now(), account);
      });
      print(terminal, result, (each) => renderExamination(each, account === undefined, terminal));
      if (hasProblem(result)) context.exitCode = 1;
    });
}

function addTasks(program: Command, context: ProgramContext): void {
  program
    .command('tasks')
    .description('every scheduled task: when it runs, when it last ran well')
    .action(async (_, command: Command) => {
      const { session, terminal, show } = await openForVerb(context, command, tasksPorts);
      show(await listTasks(session, await context.host.tasks()), (each) => renderTasks(each, terminal));
    });
}
