import { type Command, Option } from 'commander';
import { days } from '../functions/common/duration.ts';
import { addErase } from './audit-erase-program.ts';
import { type FilterOptions, filterGiven, limitOption, purposeOption, withFilter } from './audit-options.ts';
import { addVerify } from './audit-verify-program.ts';
import { MisusedCommand } from './misused-command.ts';
import { openWhereAnswered, type ProgramContext } from './program-context.ts';
import { type Report, withProgress } from './progress.ts';
import { auditExportPorts, type ExportFormat, exportEvents, exportFormats, renderExported } from './verbs/audit/export.ts';
import { auditLogPorts, listEvents, renderEventList } from './verbs/audit/log.ts';
import { auditProvePorts, eventsToProve, proofOf, renderProven } from './verbs/audit/prove.ts';

const examples = `
Examples
  codeblue audit log --patient 7f3a-22 --since 30d    who touched that record; that you looked is in the log, too
  codeblue audit log --action record.export --outcome denied
  codeblue audit verify                               did the logs only grow, does everything hash to what was signed?
  codeblue audit prove 0190a5c4-... --out one.tlog-proof
  codeblue audit prove --incident 3c4d --out incident.tlog-proof
  codeblue audit verify --bundle incident.tlog-proof --key-file hospital.vkey     offline: no config, no account
  codeblue audit verify --log ./copy --key-file hospital.vkey                     the copy of a bucket, whole
  codeblue audit export --format fhir --since 90d --out events.ndjson
  codeblue audit erase --patient 7f3a-22 --reason "request 4711" --basis "GDPR Art. 17(1)(b)" --dry-run

A key is rotated by the config alone: raise audit.generation by one and deploy; the sequencer then ends the log and begins one under a new key, whose first entry commits to the
old one. What proofs say, and what an outsider needs: docs/audit-evidence.md`;

/** The audit log as people use it: who did what, proofs of it, files of it, and what must be forgotten. */
export function addAudit(program: Command, context: ProgramContext): void {
  const audit = program
    .command('audit')
    .description('who did what to which record, and the proof that nobody changed it')
    .addHelpText('after', examples);
  addLog(audit, context);
  addVerify(audit, context);
  addProve(audit, context);
  addExport(audit, context);
  addErase(audit, context);
}

/** As audit events name people. */
const readerOf = async (principal: () => Promise<string>, verb: string, purpose: string | undefined) => ({
  by: `cli/${await principal()}`.slice(0, 200),
  purpose: purpose ?? `codeblue audit ${verb}`,
});

function addLog(audit: Command, context: ProgramContext): void {
  withFilter(
    audit.command('log').description('events, newest first, of the last 24 hours unless it says when; reading is itself in the log'),
  )
    .addOption(limitOption(50))
    .option('--next <place>', 'go on where the page before ended')
    .addOption(purposeOption())
    .action(async (options: FilterOptions & { limit: number; next?: string; purpose?: string }, command: Command) => {
      const { session, terminal, principal, show } = await openWhereAnswered(context, command, auditLogPorts);
      const { limit, next, purpose, ...words } = options;
      const filter = filterGiven(words, { now: session.clock.now(), lookBack: days(1) });
      const reader = await readerOf(principal, 'log', purpose);
      show(await listEvents(session, filter, { ...reader, limit, next }), (each) => renderEventList(each, terminal));
    });
}

function addProve(audit: Command, context: ProgramContext): void {
  audit
    .command('prove')
    .description('a file that proves to anybody that these events were logged, and when; it holds what they say unless --without-bodies')
    .argument('[events...]', 'ids of events, or <region>/<id> where two Regions recorded one')
    .option(
      '--incident <incident>',
      'all that was done to an incident, and the events that are linked to it; its id, or the last digits of it',
    )
    .option('--out <file>', 'the file to write: name.tlog-proof')
    .option('--force', 'replace the file when it is there')
    .option('--without-bodies', 'for somebody who may know that something was logged, and not what')
    .addOption(purposeOption())
    .action(
      async (
        ids: readonly string[],
        options: { incident?: string; out?: string; force?: true; withoutBodies?: true; purpose?: string },
        command: Command,
      ) => {
        const { incident, force = false, withoutBodies = false } = options;
        const out = fileGiven(options.out, 'incident.tlog-proof');
        const { session, terminal, principal, show } = await openWhereAnswered(context, command, auditProvePorts);
        const reader = await readerOf(principal, 'prove', options.purpose);
        const proven = await withProgress(
          terminal,
          'audit prove',
          async (report) => {
            report('reading the events');
            let events: Awaited<ReturnType<typeof eventsToProve>> = [];
            const made = once(async () => {
              events = await eventsToProve(session, { ids, incident }, reader);
              return proofOf(session, events, !withoutBodies, report);
            });
            await context.host.writeFile(out, made, { replace: force });
            return { file: out, events: events.map(({ region, eventId, body }) => ({ region, eventId, erased: body === undefined })) };
          },
          { endsItself: true },
        );
        show(proven, renderProven);
      },
    );
}

function addExport(audit: Command, context: ProgramContext): void {
  withFilter(audit.command('export').description('events into a file, any number of them; reading is itself in the log'))
    .addOption(
      new Option('--format <format>', 'fhir: AuditEvents of R4 after IHE BALP, one a line; csv; ndjson: as they are kept')
        .choices(exportFormats)
        .makeOptionMandatory(),
    )
    .option('--bundle', 'with --format fhir, one Bundle instead of a resource a line')
    .option('--out <file>', 'the file to write')
    .option('--force', 'replace the file when it is there')
    .addOption(purposeOption())
    .action(
      async (
        options: FilterOptions & { format: ExportFormat; bundle?: true; out?: string; force?: true; purpose?: string },
        command: Command,
      ) => {
        const { format, bundle = false, out: given, force = false, purpose, ...words } = options;
        const out = fileGiven(given, `events.${format === 'csv' ? 'csv' : bundle ? 'json' : 'ndjson'}`);
        if (bundle && format !== 'fhir')
          throw new MisusedCommand(`--bundle is for --format fhir, not ${format}`, { hint: 'Leave it out.' });
        if (words.from === undefined && words.since === undefined)
          throw new MisusedCommand('from when?', { hint: 'Give --since 90d, or --from 2026-11-01T00:00:00Z.' });
        const { session, terminal, principal, show } = await openWhereAnswered(context, command, auditExportPorts);
        const filter = filterGiven(words, { now: session.clock.now(), lookBack: days(1) });
        const wanted = { format, bundle, out, replace: force, ...(await readerOf(principal, `export as ${format}`, purpose)) };
        const exporting = (report: Report) => exportEvents(session, filter, wanted, context.host, report);
        const exported = await withProgress(terminal, 'audit export', exporting, { endsItself: true });
        show(exported, renderExported);
      },
    );
}

/** Text that is made only once somebody wants it. */
async function* once(make: () => Promise<string>): AsyncGenerator<string> {
  yield await make();
}

/** @throws MisusedCommand without one */
function fileGiven(out: string | undefined, example: string): string {
  if (out !== undefined && out.trim() !== '') return out;
  throw new MisusedCommand('into which file?', { hint: `--out ${example}` });
}
