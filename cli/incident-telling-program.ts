import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Duration, formatSeconds } from '../functions/common/duration.ts';
import { regulatoryClocks } from '../functions/incidents/communication/regulatory-clocks.ts';
import { communicationNamed } from '../functions/incidents/communication/stored-communications.ts';
import { declareBreach } from '../functions/incidents/incident/breach.ts';
import { openIncident } from './incident-change.ts';
import { endGiven, forOption, personOption, reasonOption, yesOption } from './incident-options.ts';
import { MisusedCommand } from './misused-command.ts';
import { openWhereAnswered, type ProgramContext } from './program-context.ts';
import { timeWithZone } from './time-with-zone.ts';
import { breachPorts, regulationNamed, renderBundle, renderClocks, settle, storeBundle } from './verbs/incident/breach.ts';
import { actorOf, carryOut, foresee, incidentChangePorts } from './verbs/incident/change.ts';
import {
  answerText,
  communicatePorts,
  draft,
  listCommunications,
  renderAnswered,
  renderCommunication,
  renderCommunications,
  renderWritten,
  storeDraft,
} from './verbs/incident/communicate.ts';
import { assertIncidentsAreOn } from './verbs/incident/incident-named.ts';
import { draftPostMortem, keepPostMortem, postMortemPorts } from './verbs/incident/post-mortem.ts';
import { planEnd, planSilence, putSilence, renderSilence, type SilenceOptions, silencePorts } from './verbs/incident/silence.ts';

const theIncident = 'its id, or the last digits of it';

/** What others are told: nothing, while work is going on; customers; authorities; and everybody, afterwards. */
export function addTelling(incident: Command, context: ProgramContext): void {
  addSilence(incident, context);
  addCommunicate(incident, context);
  addBreach(incident, context);
  addAuthority(incident, context);
  addPostMortem(incident, context);
}

function addSilence(incident: Command, context: ProgramContext): void {
  incident
    .command('silence')
    .description('page nobody for what it matches, for a time; what still rings then pages once. --end ends one')
    .option('--alarm <name>', 'this alarm, by the name of its page')
    .option('--subject <id>', 'of this service, database, capacity or Region')
    .option('--in-region <region>', 'in this Region only')
    .option('--from <time>', 'with its zone (default: now)')
    .option('--until <time>', 'with its zone: 2026-11-21T07:30:00Z')
    .addOption(forOption('so long from now: 30min, 2h'))
    .option('--reason <text>', 'why, for the others')
    .option('--end <silence>', 'end this one')
    .addOption(personOption())
    .addOption(yesOption())
    .action(
      async (
        options: Omit<SilenceOptions, 'reason'> & {
          from?: string;
          until?: string;
          for?: Duration;
          reason?: string;
          end?: string;
          person?: string;
          yes?: true;
        },
        command: Command,
      ) => {
        const { session, principal, show, mayDo } = await openWhereAnswered(context, command, silencePorts);
        assertIncidentsAreOn(session.operations);
        const actor = actorOf(session, await principal(), options.person);
        if (options.end) {
          const ended = await putSilence(session, await planEnd(session, options.end), 'end-silence', actor);
          return show(ended, ({ silenceId }) => `${silenceId} is ended: what still rings pages within a minute.`);
        }
        const { reason } = options;
        if (!reason) throw new MisusedCommand('a silence wants its reason', { hint: '--reason "..."' });
        const from = options.from === undefined ? {} : { from: timeWithZone('--from', options.from) };
        const times = { ...from, until: endGiven(options, from.from ?? session.clock.now()) };
        const silence = planSilence(session, { ...options, reason }, times, actor.by);
        if (!(await mayDo(renderSilence(silence), options))) return;
        show(await putSilence(session, silence, 'silence-alarms', actor), renderSilence);
      },
    );
}

interface CommunicateOptions {
  readonly template?: string;
  readonly word: Readonly<Record<string, string>>;
  readonly approve?: string;
  readonly reject?: string;
  readonly text?: string;
  readonly yes?: true;
}

function addCommunicate(incident: Command, context: ProgramContext): void {
  incident
    .command('communicate')
    .description(
      'texts for people inside and outside: without options lists them; --template writes one, --approve by somebody else makes it good',
    )
    .argument('<incident>', theIncident)
    .option('--template <id>', 'fill this template')
    .addOption(
      new Option('--word <name=text>', 'what stands in one of its places; again for each').argParser(wordGiven).default({}, 'none'),
    )
    .option('--approve <text>', 'somebody else wrote it, and it may leave the house: the first digits of its hash')
    .option('--reject <text>', 'it may not; whoever wrote it withdraws it so')
    .option('--text <text>', 'show it')
    .addOption(yesOption())
    .action(async (name: string, options: CommunicateOptions, command: Command) => {
      const { session, terminal, incident: found, actor, show, mayDo } = await openIncident(context, command, name, communicatePorts);
      const named = options.approve ?? options.reject ?? options.text;
      if ([options.template, options.approve, options.reject, options.text].filter((each) => each !== undefined).length > 1) {
        throw new MisusedCommand('one of --template, --approve, --reject and --text');
      }
      if (options.template !== undefined) {
        const who = await actor();
        const communication = draft(session, found, options.template, options.word, who.principal);
        if (!(await mayDo(renderCommunication(communication), options))) return;
        return show(await storeDraft(session, found, communication, who), (each) => renderWritten(found, each));
      }
      if (named === undefined) return show(await listCommunications(session, found), (each) => renderCommunications(each, terminal));
      const text = await communicationNamed(session.ports.reports, found, named, session.operations, session.clock.now());
      if (options.text !== undefined) return show(text, renderAnswered);
      if (!(await mayDo(renderCommunication(text.communication), options))) return;
      const answer = options.approve !== undefined ? 'approved' : 'rejected';
      const answered = await answerText(session, found, text, answer, await actor());
      show(answered, renderAnswered);
      if (answered.status !== answer) context.exitCode = 1;
    });
}

function wordGiven(given: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [name = '', ...rest] = given.split('=');
  if (!/^[a-z]+$/.test(name) || rest.length === 0)
    throw new InvalidArgumentError('Wanted a place and what stands in it: --word impact="...".');
  return { ...before, [name]: rest.join('=') };
}

function addBreach(incident: Command, context: ProgramContext): void {
  incident
    .command('breach')
    .description("it is a breach of people's data: the clocks of the law run, and remind people until somebody settles them")
    .argument('<incident>', theIncident)
    .option('--known-since <time>', 'when it became known, with its zone (default: now)')
    .addOption(personOption())
    .addOption(yesOption())
    .action(async (name: string, options: { knownSince?: string; person?: string; yes?: true }, command: Command) => {
      const {
        session,
        incident: found,
        actor,
        show,
        mayDo,
      } = await openIncident(context, command, name, incidentChangePorts, options.person);
      const who = await actor();
      const knownAt = options.knownSince === undefined ? session.clock.now() : timeWithZone('--known-since', options.knownSince);
      const change = {
        ...{ action: 'declare-breach-of-data', details: { knownAt: knownAt.toISOString() } },
        decide: (stored: typeof found, wanted: { readonly by: string; readonly now: Date }) =>
          declareBreach(stored, { ...wanted, knownAt }),
      };
      const foreseen = foresee(session, found, change, who.by);
      if (foreseen.kind === 'done') {
        const clocks = regulatoryClocks(foreseen.incident, session.operations.incidents, session.clock.now());
        const plan = `${foreseen.says}. This cannot be taken back.\n${renderClocks(clocks)}\nTo shut the application out and keep evidence: codeblue contain`;
        if (!(await mayDo(plan, options))) return;
      }
      const changed = await carryOut(session, found, change, who);
      const clocks = regulatoryClocks(changed.incident, session.operations.incidents, session.clock.now());
      show({ ...changed, clocks }, ({ says }) => `${says}\n${renderClocks(clocks)}`);
    });
}

function addAuthority(incident: Command, context: ProgramContext): void {
  incident
    .command('bundle')
    .description("what the authority's form asks, with the facts that are known and the gaps; kept in the evidence bucket")
    .argument('<incident>', theIncident)
    .requiredOption('--regulation <regulation>', 'gdpr or hipaa')
    .addOption(personOption())
    .addOption(yesOption())
    .action(async (name: string, options: { regulation: string; person?: string; yes?: true }, command: Command) => {
      const { session, incident: found, actor, show, mayDo } = await openIncident(context, command, name, breachPorts, options.person);
      const regulation = regulationNamed(session, options.regulation);
      const who = await actor();
      if (
        !(await mayDo(
          `Write what ${regulation} asks about ${found.id} into the evidence bucket of ${found.home}, where nobody can change it.`,
          options,
        ))
      )
        return;
      show(await storeBundle(session, found, regulation, who), renderBundle);
    });
  incident
    .command('told')
    .description('a clock of the law ends: the authority was told, or need not be')
    .argument('<incident>', theIncident)
    .requiredOption('--regulation <regulation>', 'gdpr or hipaa')
    .option('--not-required', 'it need not be told: the reason is kept, as the law wants it')
    .addOption(reasonOption("the authority's reference; with --not-required, why"))
    .addOption(personOption())
    .addOption(yesOption())
    .action(
      async (
        name: string,
        options: { regulation: string; notRequired?: true; reason: string; person?: string; yes?: true },
        command: Command,
      ) => {
        const { session, incident: found, actor, show, mayDo } = await openIncident(context, command, name, breachPorts, options.person);
        const regulation = regulationNamed(session, options.regulation);
        const who = await actor();
        const decision = options.notRequired ? 'not-required' : 'told';
        const says = options.notRequired ? `nobody need be told, by the answer of ${who.by}` : 'it was told';
        if (!(await mayDo(`End the clock of ${regulation} for ${found.id}: ${says}. This cannot be taken back.`, options))) return;
        const settled = await settle(session, found, { regulation, decision, reason: options.reason }, who);
        show(settled, ({ key, clocks }) => `${renderClocks(clocks)}\nKept as ${key} in the evidence bucket of ${found.home}.`);
      },
    );
}

function addPostMortem(incident: Command, context: ProgramContext): void {
  incident
    .command('postmortem')
    .description('a draft from the timeline (Markdown): what the facts show, and places for why and what to do')
    .argument('<incident>', theIncident)
    .option('--keep', 'store it in the evidence bucket too')
    .addOption(personOption())
    .addOption(yesOption())
    .action(async (name: string, options: { keep?: true; person?: string; yes?: true }, command: Command) => {
      const { session, incident: found, actor, show, mayDo } = await openIncident(context, command, name, postMortemPorts, options.person);
      const drafted = await draftPostMortem(session, found);
      if (!options.keep) return show(drafted, ({ markdown }) => markdown);
      const length = formatSeconds((session.clock.now().getTime() - Date.parse(found.openedAt)) / 1000);
      if (
        !(await mayDo(
          `Keep the draft of ${found.id}, opened ${length} ago, in the evidence bucket of ${found.home}, where nobody can change it.`,
          options,
        ))
      )
        return;
      const kept = await keepPostMortem(session, found, drafted, await actor());
      show(kept, ({ markdown, key }) => `${markdown}\n<!-- kept as ${key} -->`);
    });
}
