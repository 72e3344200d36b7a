import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { ContactMethod, EscalationPolicy, IncidentPolicy, Person, Severity } from '../../common/incident-policy.ts';
import type { Incident, Page } from '../models.ts';
import type { OnCall } from '../on-call/on-call.ts';
import { acknowledges } from './answered.ts';
import { type Stretch, standing } from './stretch.ts';

/** A page that the policy wants. Whoever computes it again gets the same id. */
export interface DuePage extends Pick<Page, 'pageId' | 'incidentId' | 'home' | 'person' | 'method' | 'reason' | 'dueAt'> {
  /** A later step of the same stretch tells the same person: nobody looked in time for this one, and sending it now would say nothing that the later one does not. */
  readonly overtaken: boolean;
}

/** What else is known when pages are due. */
export interface Seen {
  /** Pages of the incident so far, by the outbox. */
  readonly pages: readonly Page[];
  /** Seconds that this Region leaves to others which see the same cause (ADR 9, "One home for each incident"); 0 when left out. */
  readonly leavesSeconds?: number;
  /** Another Region has told somebody of the same cause. */
  readonly toldElsewhere?: boolean;
}

export interface DuePages {
  /**
   * `telling`: steps are under way. `exhausted`: all of them are over and nobody answered. `answered`, `paused`: nothing is due until that ends.
   * `told-elsewhere`: another Region sees to it. `over`: nothing will be due in this generation.
   */
  readonly stage: 'telling' | 'exhausted' | 'answered' | 'paused' | 'told-elsewhere' | 'over';
  /** Every page that the policy wants by now, oldest first. Those of earlier stretches are not looked at any more. */
  readonly pages: readonly DuePage[];
  /** When time alone can make the next one due. Undefined: never. */
  readonly lookAgainAt: Date | undefined;
  /** Steps under way that tell nobody, because nobody is on duty. */
  readonly nobody: readonly { readonly round: number; readonly step: number; readonly at: Timestamp }[];
}

/** How a person is reached about an incident of that severity, in the order in which the ways are tried. */
export const contactMethods = ({ urgent, calm }: Person, severity: Severity): readonly ContactMethod[] =>
  severity <= 2 ? urgent : (calm ?? urgent);

const nothing = (stage: DuePages['stage'], lookAgainAt?: number): DuePages => ({
  stage,
  pages: [],
  lookAgainAt: lookAgainAt === undefined ? undefined : new Date(lookAgainAt),
  nobody: [],
});

/**
 * Every page that the policy wants by `now` (ADR 9). Pure, and the same for whoever asks: the machine that sends, and the auditor that compares.
 *
 * @param onCall who is on duty; asked about the moment at which a step began, so that the answer does not change while it is under way
 */
export function duePages(incident: Incident, policy: IncidentPolicy, onCall: OnCall, now: Date, seen: Seen): DuePages {
  const escalation =
    policy.policies.find(({ id }) => id === incident.policy) ?? policy.policies.find(({ id }) => id === policy.defaultPolicy);
  const isOver = incident.status === 'resolved' || incident.status === 'merged';
  if (isOver || !escalation || !policy.severities[incident.severity].pages) return nothing('over');
  const needed = escalation.acknowledgements[incident.severity] ?? 1;
  const stands = standing(incident, needed, now.getTime(), seen.leavesSeconds ?? 0);
  if (stands.stage !== 'telling') return nothing(stands.stage, stands.until);
  if (seen.toldElsewhere) return nothing('told-elsewhere');
  return tell({ incident, policy, escalation, onCall, stretch: stands.stretch, now: now.getTime(), pages: seen.pages });
}

interface Telling {
  readonly incident: Incident;
  readonly policy: IncidentPolicy;
  readonly escalation: EscalationPolicy;
  readonly onCall: OnCall;
  readonly stretch: Stretch;
  readonly now: number;
  readonly pages: readonly Page[];
}

interface Step {
  readonly round: number;
  readonly step: number;
  readonly at: number;
  readonly notify: EscalationPolicy['steps'][number]['notify'];
}

function tell(telling: Telling): DuePages {
  const { escalation, stretch, now } = telling;
  const steps = stepsOf(escalation, stretch);
  const told = steps.filter(({ at }) => at <= now).map((step) => ({ step, people: peopleOf(step, telling) }));
  const pages = told.flatMap(({ step, people }, index) =>
    people
      .filter((person) => !answers(person.id, step.at, telling))
      .flatMap((person) => {
        const overtaken = told.slice(index + 1).some((later) => later.people.includes(person));
        return pagesTo(person, step, overtaken, telling);
      }),
  );
  const ends = stretch.from + lengthOf(escalation) * (escalation.repeats + 1);
  const next = steps.find(({ at }) => at > now)?.at ?? (ends > now ? ends : undefined);
  return {
    stage: next === undefined ? 'exhausted' : 'telling',
    pages,
    lookAgainAt: next === undefined ? undefined : new Date(next),
    nobody: told.flatMap(({ step: { round, step, at }, people }) =>
      people.length === 0 ? [{ round, step, at: timestamp(new Date(at)) }] : [],
    ),
  };
}

/** Once through the list, in milliseconds. */
const lengthOf = ({ steps }: EscalationPolicy): number => 1000 * steps.reduce((sum, { wait }) => sum + wait, 0);

/** All steps of a stretch, with their beginnings: step `s` of its round `r` begins `r x sum(waits) + sum(waits before s)` after it. */
function stepsOf(escalation: EscalationPolicy, { from, firstRound }: Stretch): readonly Step[] {
  return Array.from({ length: escalation.repeats + 1 }, (_, round) => round).flatMap((round) => {
    let at = from + round * lengthOf(escalation);
    return escalation.steps.map(({ notify, wait }, step) => {
      const begins = at;
      at += wait * 1000;
      return { round: firstRound + round, step, at: begins, notify };
    });
  });
}

function peopleOf({ notify, at }: Step, { policy, onCall }: Telling): readonly Person[] {
  const ids = notify.map((target) => ('person' in target ? target.person : onCall.at(target.schedule, new Date(at))));
  return [...new Set(ids)].flatMap((id) => policy.people.find((person) => person.id === id) ?? []);
}

/** Whether that person had said that they work on it when the step began, or has by now. */
const answers = (person: string, at: number, { incident: { acknowledgements, escalatesFrom }, now }: Telling): boolean =>
  [at, now].some((instant) => acknowledges(acknowledgements, person, instant, Date.parse(escalatesFrom)));

/** The page of a step to one person; after each method that did not take it, the next one. */
function pagesTo(
  person: Person,
  { round, step, at }: Step,
  overtaken: boolean,
  { incident, stretch, pages, now }: Telling,
): readonly DuePage[] {
  const found: DuePage[] = [];
  let dueAt = timestamp(new Date(at));
  for (const [index, { kind }] of contactMethods(person, incident.severity).entries()) {
    const pageId = [incident.id, incident.generation, round, step, person.id, index].join('/');
    const reason = index > 0 ? 'second-channel' : stretch.reason;
    found.push({ pageId, incidentId: incident.id, home: incident.home, person: person.id, method: kind, reason, dueAt, overtaken });
    const sent = pages.find((page) => page.pageId === pageId);
    if (sent?.status !== 'failed') break;
    dueAt = sent.takenUntil ?? sent.dueAt;
    if (Date.parse(dueAt) > now) break; // asked about a time before it failed
  }
  return found;
}
