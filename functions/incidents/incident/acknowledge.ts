import { after } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { answeredSpans } from '../escalation/answered.ts';
import type { Incident } from '../models.ts';
import { later, line, overBecause, refused, type Transition, type Wanted } from './transition.ts';

/** How many people must acknowledge before nobody else is told. */
function acknowledgementsNeeded({ policy: id, severity }: Pick<Incident, 'policy' | 'severity'>, policy: IncidentPolicy): number {
  const escalation = policy.policies.find((each) => each.id === id) ?? policy.policies.find((each) => each.id === policy.defaultPolicy);
  return escalation?.acknowledgements[severity] ?? 1;
}

/** Until when nobody is told because as many as are needed have said that they work on it; undefined when that is not so now. */
export function answeredUntil(incident: Incident, policy: IncidentPolicy, now: Date): Date | undefined {
  const spans = answeredSpans(incident.acknowledgements, acknowledgementsNeeded(incident, policy), Date.parse(incident.escalatesFrom));
  const span = spans.find(({ from, until }) => from <= now.getTime() && now.getTime() < until);
  return span && new Date(span.until);
}

/**
 * `by` works on it, for as long as the severity's acknowledgements last; saying so again goes on from now. With as many different people as the policy wants it counts as
 * acknowledged. Where several are wanted only people of the config count, so that one human with two roles is not two.
 *
 * Used by the command line and by the link in a page alike. Pure.
 */
export function acknowledge(incident: Incident, wanted: Wanted, policy: IncidentPolicy): Transition {
  const over = overBecause(incident);
  if (over) return over;
  const { by, now } = wanted;
  const needed = acknowledgementsNeeded(incident, policy);
  if (needed > 1 && !policy.people.some(({ id }) => id === by)) {
    return refused(
      `${needed} people must acknowledge a ${policy.severities[incident.severity].name} of policy ${incident.policy}, and ${by} is nobody of incidents.people`,
      'List the principal under the principals of its person in the config.',
    );
  }
  // The clock of the Region that it is acknowledged from may be behind the one that it was opened in: it counts all the same.
  const at = later(timestamp(now), incident.escalatesFrom);
  const until = timestamp(after(new Date(at), policy.severities[incident.severity].acknowledgementLasts));
  const acknowledgements = [...incident.acknowledgements.filter((each) => each.by !== by || each.at !== at), { by, at, until }];
  const next = { ...incident, acknowledgements };
  const isAnswered = answeredUntil(next, policy, new Date(at)) !== undefined;
  const people = new Set(
    acknowledgements.filter((each) => each.at >= incident.escalatesFrom && each.at <= at && each.until > at).map((each) => each.by),
  );
  const rest = isAnswered ? '' : `; ${needed - people.size} more must acknowledge`;
  return {
    kind: 'done',
    incident: { ...next, status: isAnswered ? 'acknowledged' : 'triggered' },
    entries: [line('acknowledgement', { by, now: new Date(at) }, `acknowledged until ${until}${rest}`)],
    says: `${by} acknowledged ${incident.id} until ${until}${rest}`,
  };
}
