import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { Incident, Trouble } from '../models.ts';

/** What a text may say without anybody having written it: ids of the config, times, and words of this list. */
export interface CommunicationFacts {
  readonly incident: string;
  /** `ServiceDown of orders in us-east-1`, of the worst alarm. */
  readonly title: string;
  readonly severity: string;
  readonly status: 'Investigating' | 'Identified' | 'Resolved';
  readonly phase: string;
  /** What is affected, as the config names it. */
  readonly services: string;
  readonly openedAt: string;
  readonly eta: string;
  readonly commander: string;
  readonly resolvedAt: string;
  /** Instead of words, where nobody wrote any. */
  readonly impact: string;
}

const minute = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;

/** The cause is looked for until something is done against it: hms operations manual, phases 2 and 3. */
function statusOf({ status, phase }: Incident): CommunicationFacts['status'] {
  if (status === 'resolved') return 'Resolved';
  return phase === 'detection' || phase === 'containment' ? 'Investigating' : 'Identified';
}

/** The worst alarm; of several that are as bad, the first. */
function worstTrouble({ troubles }: Pick<Incident, 'troubles'>): Trouble | undefined {
  return [...troubles].sort((a, b) => a.severity - b.severity || (a.firstAt < b.firstAt ? -1 : 1))[0];
}

export function communicationFacts(incident: Incident, { severities }: Pick<IncidentPolicy, 'severities'>): CommunicationFacts {
  const worst = worstTrouble(incident);
  const title = worst ? `${worst.alarm} of ${worst.subject} in ${worst.region}` : incident.groupKey;
  const services = [...new Set(incident.troubles.map(({ subject }) => subject))].sort().join(', ');
  const ringing = incident.troubles.filter(({ status }) => status === 'firing').length;
  return {
    ...{ incident: incident.id, title, services, phase: incident.phase },
    severity: severities[incident.severity].name,
    status: statusOf(incident),
    openedAt: minute(incident.openedAt),
    eta: incident.resolvedAt ? `resolved at ${minute(incident.resolvedAt)}` : `promised by ${minute(incident.resolveBy)}`,
    commander: incident.roles.commander ?? 'nobody yet',
    resolvedAt: incident.resolvedAt ? minute(incident.resolvedAt) : 'not yet',
    impact: `${services}: ${ringing} of ${incident.troubles.length} alarms ring`,
  };
}
