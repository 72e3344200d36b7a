import { type Command, InvalidArgumentError, Option } from 'commander';
import { regionsOf } from '../functions/common/operations-lookup.ts';
import { several } from './audit-options.ts';
import { MisusedCommand } from './misused-command.ts';
import { globalsOf, openWhereAnswered, type ProgramContext, print } from './program-context.ts';
import { withProgress } from './progress.ts';
import { auditVerifyPorts, isWell, renderVerified, type VerifiedRegion, verifyRegion } from './verbs/audit/verify.ts';
import { renderVerifiedBundle, verifyBundleFile } from './verbs/audit/verify-bundle.ts';
import { type CopyOptions, renderVerifiedCopy, verifyCopy } from './verbs/audit/verify-copy.ts';

interface VerifyOptions extends CopyOptions {
  readonly full?: true;
  readonly bundle?: string;
  readonly log?: string;
}

/** One verb, three things to verify: the published logs, a file of proofs, and a copy of a log. */
export function addVerify(audit: Command, context: ProgramContext): void {
  audit
    .command('verify')
    .description(
      'the published logs now; with --bundle a file of proofs, with --log a copy of a log, without any network; exits with 1 when something is wrong',
    )
    .option('--full', 'read every entry again, and not only what is new since the watch looked')
    .option('--bundle <file>', 'a .tlog-proof file')
    .option('--log <directory>', 'what the bucket of a log holds, copied here: every entry, every tile, every generation')
    .option('--seen <file>', 'with --log, a checkpoint kept from earlier, that the log must still begin with; can be given again', several)
    .option('--key <key>', 'offline, the verifier key of the log: <origin>+<id>+<base64>; can be given again', several)
    .option('--key-file <file>', 'offline, a file of such keys, one a line; can be given again', several)
    .option('--witness <key>', 'offline, the verifier key of a witness that must have cosigned; can be given again', several)
    .addOption(new Option('--quorum <count>', 'with --witness, how many of them must have (default: all)').argParser(countGiven))
    .action(async (options: VerifyOptions, command: Command) => {
      const { bundle, log, full, ...offline } = options;
      refuseMixed(options, Object.keys(offline).length > 0);
      const terminal = context.terminal(globalsOf(command).json);
      if (log !== undefined) {
        const verified = await withProgress(terminal, 'audit verify', (report) => verifyCopy(log, offline, context.host, report));
        print(terminal, verified, (each) => renderVerifiedCopy(each, terminal));
        if (!verified.holds) context.exitCode = 1;
      } else if (bundle !== undefined) {
        const verified = await verifyBundleFile(bundle, offline, context.host);
        print(terminal, verified, (each) => renderVerifiedBundle(each, terminal));
        if (!verified.holds) context.exitCode = 1;
      } else await verifyPublished(context, command, full ?? false);
    });
}

/** @throws MisusedCommand for options of two things at once */
function refuseMixed({ bundle, log, full, seen }: VerifyOptions, hasOffline: boolean): void {
  if (bundle !== undefined && log !== undefined)
    throw new MisusedCommand('--bundle and --log are two things to verify', { hint: 'Give one of them.' });
  if (bundle === undefined && log === undefined && hasOffline)
    throw new MisusedCommand('keys are for verifying offline', { hint: 'Add --bundle <file> or --log <directory>.' });
  if (bundle !== undefined && seen !== undefined)
    throw new MisusedCommand('--seen is for a copy of a log', { hint: 'Add --log <directory>, or leave it out.' });
  if (full && (bundle !== undefined || log !== undefined))
    throw new MisusedCommand('--full is for the published logs', { hint: 'Leave it out: offline everything is read.' });
}

/** Each Region from within: only there are its head and its queue to be seen. */
async function verifyPublished(context: ProgramContext, command: Command, full: boolean): Promise<void> {
  const globals = globalsOf(command);
  const { session, terminal, show } = await openWhereAnswered(context, command, auditVerifyPorts);
  const regions = globals.region === undefined ? regionsOf(session.operations) : [session.region];
  const verified = await withProgress(terminal, 'audit verify', async (report) => {
    const all: VerifiedRegion[] = [];
    for (const region of regions) {
      const there = region === session.region ? session : await context.host.open({ ...globals, region }, auditVerifyPorts);
      all.push(await verifyRegion(there, full, report));
    }
    return all;
  });
  show(verified, (each) => renderVerified(each, terminal));
  if (!verified.every(isWell)) context.exitCode = 1;
}

function countGiven(given: string): number {
  if (/^[1-9]\d{0,2}$/.test(given)) return Number(given);
  throw new InvalidArgumentError('Wanted a number from 1.');
}
