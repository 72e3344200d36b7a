import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Duration, days } from '../functions/common/duration.ts';
import { acknowledge } from '../functions/incidents/incident/acknowledge.ts';
import { addLink, type IncidentLink } from '../functions/incidents/incident/links.ts';
import { goOn, pause } from '../functions/incidents/incident/pause.ts';
import { enterPhase } from '../functions/incidents/incident/phase.ts';
import { reopen, resolve } from '../functions/incidents/incident/resolve.ts';
import { giveRole, type IncidentRole, incidentRoles } from '../functions/incidents/incident/roles.ts';
import { changeSeverity } from '../functions/incidents/incident/severity.ts';
import { ResponsePhase } from '../functions/incidents/models.ts';
import { durationGiven } from './duration-given.ts';
import { changeIncident, openIncident } from './incident-change.ts';
import { endGiven, forOption, personOption, reasonOption, severityGiven, yesOption } from './incident-options.ts';
import { addRunbook } from './incident-runbook-program.ts';
import { addTelling } from './incident-telling-program.ts';
import { MisusedCommand } from './misused-command.ts';
import { openForVerb, openWhereAnswered, type ProgramContext } from './program-context.ts';
import { actorOf, incidentChangePorts } from './verbs/incident/change.ts';
import { declare, declarePorts, planDeclaration, renderDeclared, renderPlannedDeclaration } from './verbs/incident/declare.ts';
import { assertIncidentsAreOn, incidentNamed } from './verbs/incident/incident-named.ts';
import { incidentListPorts, listIncidents, renderIncidentList } from './verbs/incident/list.ts';
import { mergeStored, planMerge } from './verbs/incident/merge.ts';
import { note } from './verbs/incident/note.ts';
import { incidentShowPorts, renderIncident, showIncident } from './verbs/incident/show.ts';

const examples = `
An incident is named by its id, or by the last four digits of it or more.

Examples
  codeblue incident list                              what is open, who answers, which clocks were missed
  codeblue incident ack 3c4d                          you work on it: nobody else is told until that runs out
  codeblue incident declare --subject hms --severity 1 --reason "orders of last night are gone"
  codeblue incident note 3c4d "restarted the integration engine"
  codeblue incident resolve 3c4d --reason "the disk was full"
  codeblue incident silence --subject hms --for 2h --reason "storage maintenance"
  codeblue incident communicate 3c4d --template hms-external --word description="..." ...
  codeblue incident postmortem 3c4d                   a draft from the timeline

Works through any Region that answers; an incident is written in its home. How it goes: docs/operations.md, "Incidents"`;

const theIncident = 'its id, or the last digits of it';

/** Incidents as people handle them. */
export function addIncident(program: Command, context: ProgramContext): void {
  const incident = program
    .command('incident')
    .description('what is wrong now, who answers, and what is done about it')
    .addHelpText('after', examples);
  addLooking(incident, context);
  addDeclare(incident, context);
  addAnswering(incident, context);
  addHandling(incident, context);
  addMerge(incident, context);
  addNotes(incident, context);
  addTelling(incident, context);
  addRunbook(incident, context);
}

function addLooking(incident: Command, context: ProgramContext): void {
  incident
    .command('list')
    .description('open incidents, worst first; exits with 1 when nobody answers one of them')
    .addOption(new Option('--since <time>', 'also what was opened in that time and is over: 24h, 7d').argParser(durationGiven))
    .option('--all', 'also what was opened in the last 90 days and is over')
    .action(async (options: { since?: Duration; all?: true }, command: Command) => {
      const { session, terminal, show } = await openWhereAnswered(context, command, incidentListPorts);
      const result = await listIncidents(session, options.since ?? (options.all ? days(90) : undefined));
      show(result, (each) => renderIncidentList(each, terminal));
      if (result.incidents.some(({ stands }) => stands === 'nobody answers' || stands === 'not answered any more')) context.exitCode = 1;
    });
  incident
    .command('show')
    .description('all of one incident: clocks, phases, alarms, who was told, timeline')
    .argument('<incident>', theIncident)
    .action(async (name: string, _, command: Command) => {
      const { session, terminal, show } = await openWhereAnswered(context, command, incidentShowPorts);
      show(await showIncident(session, await incidentNamed(session, name)), (each) => renderIncident(each, terminal));
    });
}

function addDeclare(incident: Command, context: ProgramContext): void {
  incident
    .command('declare')
    .description('say that something is wrong that no alarm has seen: people are told as for an alarm')
    .requiredOption('--subject <id>', 'what it is about: a service, database or Region of the config')
    .requiredOption('--severity <severity>', "the profile's word (P0, SEV-1), or 1 to 4")
    .addOption(reasonOption('what is wrong, for the timeline; it stands in no page'))
    .addOption(personOption())
    .addOption(yesOption())
    .action(async (options: { subject: string; severity: string; reason: string; person?: string; yes?: true }, command: Command) => {
      const { session, principal, show, mayDo } = await openForVerb(context, command, declarePorts);
      assertIncidentsAreOn(session.operations);
      const actor = actorOf(session, await principal(), options.person);
      const severity = severityGiven(options.severity, session.operations.incidents);
      const signal = planDeclaration(session, { ...options, severity }, actor.by);
      if (!(await mayDo(renderPlannedDeclaration(session, signal), options))) return;
      const declared = await declare(session, signal, actor);
      show(declared, renderDeclared);
      if (!declared.incident) context.exitCode = 1;
    });
}

function addAnswering(incident: Command, context: ProgramContext): void {
  incident
    .command('ack')
    .description('you work on it; say so again before it runs out, or people are told again')
    .argument('<incident>', theIncident)
    .addOption(personOption())
    .action((name: string, options: { person?: string }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: false }, ({ incidents }) => ({
        action: 'acknowledge-incident',
        decide: (stored, wanted) => acknowledge(stored, wanted, incidents),
      })),
    );
  incident
    .command('resolve')
    .description('it is over')
    .argument('<incident>', theIncident)
    .addOption(reasonOption('what it was'))
    .addOption(personOption())
    .addOption(yesOption())
    .action((name: string, options: { reason: string; person?: string; yes?: true }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: true }, () => ({
        ...{ action: 'resolve-incident', details: { reason: options.reason } },
        decide: (stored, wanted) => resolve(stored, { ...wanted, reason: options.reason }),
      })),
    );
  incident
    .command('reopen')
    .description('it is not over after all: people are told from the first step on')
    .argument('<incident>', theIncident)
    .addOption(reasonOption('why'))
    .addOption(personOption())
    .addOption(yesOption())
    .action((name: string, options: { reason: string; person?: string; yes?: true }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: true }, ({ incidents }) => ({
        ...{ action: 'reopen-incident', details: { reason: options.reason } },
        decide: (stored, wanted) => reopen(stored, { ...wanted, reason: options.reason }, incidents),
      })),
    );
}

function addHandling(incident: Command, context: ProgramContext): void {
  incident
    .command('severity')
    .description('what it is really; worse tells people anew')
    .argument('<incident>', theIncident)
    .argument('<severity>', "the profile's word (P0, SEV-1), or 1 to 4")
    .addOption(reasonOption('why'))
    .addOption(personOption())
    .addOption(yesOption())
    .action((name: string, given: string, options: { reason: string; person?: string; yes?: true }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: true }, ({ incidents }) => {
        const severity = severityGiven(given, incidents);
        return {
          ...{ action: 'change-severity', details: { severity, reason: options.reason } },
          decide: (stored, wanted) => changeSeverity(stored, { ...wanted, severity, reason: options.reason }, incidents),
        };
      }),
    );
  incident
    .command('phase')
    .description(`which phase of the plan begins: ${ResponsePhase.options.join(', ')}`)
    .argument('<incident>', theIncident)
    .argument('<phase>', 'the phase', oneOf(ResponsePhase.options))
    .option('--reason <text>', 'what makes it so')
    .addOption(personOption())
    .action((name: string, phase: ResponsePhase, options: { reason?: string; person?: string }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: false }, () => ({
        ...{ action: 'enter-phase', details: { phase } },
        decide: (stored, wanted) => enterPhase(stored, { ...wanted, phase, ...(options.reason ? { reason: options.reason } : {}) }),
      })),
    );
  incident
    .command('role')
    .description(`who does what: ${incidentRoles.join(', ')}`)
    .argument('<incident>', theIncident)
    .argument('<role>', 'the role', oneOf(incidentRoles))
    .argument('<who>', 'a person of the config, or a name')
    .addOption(personOption())
    .action((name: string, role: IncidentRole, to: string, options: { person?: string }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: false }, () => ({
        ...{ action: 'give-role', details: { role, to: to.slice(0, 200) } },
        decide: (stored, wanted) => giveRole(stored, { ...wanted, role, to: to.slice(0, 200) }),
      })),
    );
  incident
    .command('pause')
    .description('page nobody for it until then; --end goes on at once')
    .argument('<incident>', theIncident)
    .option('--until <time>', 'with its zone: 2026-11-21T07:30:00Z')
    .addOption(forOption('so long from now: 30min, 2h'))
    .option('--reason <text>', 'why')
    .option('--end', 'end the pause')
    .addOption(personOption())
    .addOption(yesOption())
    .action(
      (
        name: string,
        options: { until?: string; for?: Duration; reason?: string; end?: true; person?: string; yes?: true },
        command: Command,
      ) =>
        changeIncident(context, command, name, { ...options, asks: !options.end }, (_, now) => {
          if (options.end) return { action: 'end-pause', decide: goOn };
          const { reason } = options;
          if (!reason) throw new MisusedCommand('a pause wants its reason', { hint: '--reason "..."' });
          const until = endGiven(options, now);
          return {
            ...{ action: 'pause-incident', details: { until: until.toISOString(), reason } },
            decide: (stored, wanted) => pause(stored, { ...wanted, until, reason }),
          };
        }),
    );
}

function addMerge(incident: Command, context: ProgramContext): void {
  incident
    .command('merge')
    .description('two incidents are one thing: the first goes on as the second')
    .argument('<from>', 'the one that ends')
    .argument('<into>', 'the one that goes on')
    .addOption(personOption())
    .addOption(yesOption())
    .action(async (from: string, into: string, options: { person?: string; yes?: true }, command: Command) => {
      const {
        session,
        incident: ends,
        actor,
        show,
        mayDo,
      } = await openIncident(context, command, from, incidentChangePorts, options.person);
      const goesOn = await incidentNamed(session, into);
      const who = await actor();
      const planned = planMerge(session, ends, goesOn, { by: who.by, now: session.clock.now() });
      const says = [planned.from, planned.into].map((each) => (each.kind === 'refused' ? each.because : each.says)).join('\n');
      if (!(await mayDo(says, options))) return;
      show(await mergeStored(session, ends, goesOn, who), (each) => each.says);
    });
}

const linkKinds = ['execution', 'evidence', 'audit', 'proof', 'incident'] as const satisfies readonly IncidentLink['kind'][];

function addNotes(incident: Command, context: ProgramContext): void {
  incident
    .command('note')
    .description('a line for the timeline: what was seen, what was done; without anything that tells who a patient is')
    .argument('<incident>', theIncident)
    .argument('<text>', 'at most 1000 characters')
    .addOption(personOption())
    .action(async (name: string, text: string, options: { person?: string }, command: Command) => {
      if (text.trim() === '' || text.length > 1000) throw new MisusedCommand('a note has 1 to 1000 characters');
      const {
        session,
        incident: found,
        actor,
        show,
      } = await openIncident(context, command, name, ['auditLog', 'incidents'], options.person);
      show(await note(session, found, text, await actor()), ({ at }) => `Noted at ${at}.`);
    });
  incident
    .command('link')
    .description('something that belongs to it: an execution, evidence, an audit event, a proof, another incident')
    .argument('<incident>', theIncident)
    .addOption(new Option('--kind <kind>', 'what it is').choices(linkKinds).makeOptionMandatory())
    .addOption(new Option('--ref <ref>', 'its id, key or ARN').makeOptionMandatory().argParser(reference))
    .addOption(personOption())
    .action((name: string, options: { kind: IncidentLink['kind']; ref: string; person?: string }, command: Command) =>
      changeIncident(context, command, name, { ...options, asks: false }, () => ({
        ...{ action: 'link-incident', details: { kind: options.kind, ref: options.ref } },
        decide: (stored, wanted) => addLink(stored, { ...wanted, link: { kind: options.kind, ref: options.ref } }),
      })),
    );
}

function reference(given: string): string {
  if (/^[\x21-\x7e]{1,300}$/.test(given)) return given;
  throw new InvalidArgumentError('Wanted at most 300 characters without spaces.');
}

const oneOf =
  <T extends string>(among: readonly T[]) =>
  (given: string): T => {
    const found = among.find((each) => each === given);
    if (found) return found;
    throw new InvalidArgumentError(`Wanted one of: ${among.join(', ')}.`);
  };
