import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import { InvalidInput } from '../../common/errors.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { Incident, TimelineEntry } from '../models.ts';
import { type AuthorityFact, authorityForms } from './authority-forms.ts';
import { type Regulation, regulatoryClocks } from './regulatory-clocks.ts';
import type { StoredCommunication } from './stored-communications.ts';

/** What the authority's form asks: answered by facts, and gaps that people fill. */
export interface AuthorityBundle {
  readonly format: 'codeblue-authority-bundle/1';
  readonly regulation: Regulation;
  readonly title: string;
  readonly incidentId: string;
  readonly writtenAt: Timestamp;
  readonly writtenBy: string;
  readonly tell: { readonly whom: string; readonly rule: string; readonly until: Timestamp };
  readonly answers: readonly {
    readonly asks: string;
    readonly source: string;
    /** Empty where nothing is known. */
    readonly known: readonly string[];
    /** Always there: a fact of a machine is never all that is asked. */
    readonly gap: string;
  }[];
}

export interface BundleSources {
  readonly incident: Incident;
  readonly timeline: readonly TimelineEntry[];
  readonly communications: readonly StoredCommunication[];
  readonly operations: Pick<Operations, 'contacts' | 'incidents' | 'name'>;
}

/**
 * Facts of the incident in the order of the form. What people wrote into notes is left out: nobody has approved it for others.
 *
 * @throws InvalidInput when it is no declared breach, or the config does not name the regulation
 */
export function authorityBundle(regulation: Regulation, sources: BundleSources, writtenBy: string, now: Date): AuthorityBundle {
  const { incident, operations } = sources;
  const clock = regulatoryClocks(incident, operations.incidents, now).find((each) => each.regulation === regulation);
  if (!incident.breachDeclaredAt) {
    throw new InvalidInput(`${incident.id} was not declared a breach`, { hint: `codeblue incident breach ${incident.id}` });
  }
  if (!clock)
    throw new InvalidInput(`the config does not name ${regulation}`, {
      hint: `incidents.regulations has: ${operations.incidents.regulations.join(', ')}.`,
    });
  const { title, questions } = authorityForms[regulation];
  const known = factsFor(sources, clock.until, now);
  return {
    format: 'codeblue-authority-bundle/1',
    ...{ regulation, title, incidentId: incident.id, writtenAt: timestamp(now), writtenBy },
    tell: { whom: clock.whom, rule: clock.rule, until: clock.until },
    answers: questions.map(({ asks, source, facts, gap }) => ({ asks, source, gap, known: facts.flatMap((fact) => known[fact]) })),
  };
}

function factsFor(
  { incident, timeline, communications, operations }: BundleSources,
  until: Timestamp,
  now: Date,
): Readonly<Record<AuthorityFact, readonly string[]>> {
  const { compliance } = operations.contacts;
  const first = incident.troubles.map(({ firstAt }) => firstAt).sort()[0] ?? incident.openedAt;
  const late = secondsBetween(new Date(until), now);
  const measures = timeline.filter(({ kind }) => kind === 'runbook' || kind === 'phase' || kind === 'resolution' || kind === 'merge');
  const sent = communications.filter(({ status, communication }) => status === 'approved' && communication.audience !== 'internal');
  return {
    contact: [`${compliance.name}, ${compliance.email}`],
    incident: [`${incident.id}, deployment ${operations.name}, ${operations.incidents.severities[incident.severity].name}`],
    began: [`first alarm ${first}, incident opened ${incident.openedAt}`],
    discovered: incident.breachDeclaredAt ? [`known since ${incident.breachDeclaredAt}`] : [],
    ended: incident.resolvedAt ? [`resolved ${incident.resolvedAt}`] : [],
    'what-happened': incident.troubles.map(
      ({ alarm, subject, region, firstAt }) => `${alarm} of ${subject} in ${region}, first at ${firstAt}`,
    ),
    where: [...new Set(incident.troubles.map(({ subject, region }) => `${subject} in ${region}`))],
    measures: measures.map(({ at, by, kind, says }) => (kind === 'runbook' ? `${at} ${by}: ${says}` : `${at} ${by}: ${factOf(says)}`)),
    evidence: incident.links.map(({ kind, ref }) => `${kind} ${ref}`),
    'told-others': sent.map(({ communication, hash, says }) => `${communication.template} ${hash.slice(0, 16)}: ${says}`),
    delay: late > 0 ? [`the deadline ${until} passed ${formatSeconds(late)} ago`] : [],
  };
}

/** Without the reason that somebody wrote behind it: `resolved: ...`. */
const factOf = (says: string): string => says.split(':')[0] ?? says;

/** For people: what is known, and gaps that cannot be overlooked. */
export function bundleMarkdown({ title, incidentId, writtenAt, writtenBy, tell, answers }: AuthorityBundle): string {
  return [
    `# ${title}`,
    '',
    `Draft about ${incidentId}, written at ${writtenAt} for ${writtenBy}. Tell ${tell.whom} before **${tell.until}** (${tell.rule}).`,
    '',
    'Codeblue fills in what it has seen. It does not know what people know: each GAP is for a person, and whoever signs the form answers for all of it.',
    ...answers.flatMap(({ asks, source, known, gap }) => [
      '',
      `## ${asks} (${source})`,
      '',
      ...known.map((fact) => `- ${fact}`),
      `- **GAP**: ${gap}`,
    ]),
    '',
  ].join('\n');
}
