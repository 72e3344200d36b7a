import type { IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import type { Incident } from '../models.ts';
import { lowered, raised } from './generation.ts';
import { line, overBecause, type Transition, type Wanted } from './transition.ts';

interface Change extends Wanted {
  readonly severity: Severity;
  readonly reason: string;
}

/** What a person makes of it. Worse: people are told anew, whoever had answered something lesser. Less bad: whoever answered goes on. */
export function changeSeverity(incident: Incident, wanted: Change, policy: IncidentPolicy): Transition {
  const over = overBecause(incident);
  if (over) return over;
  const { severity, reason, now } = wanted;
  const name = policy.severities[severity].name;
  if (severity === incident.severity) return { kind: 'unchanged', says: `${incident.id} is ${name} already` };
  const isWorse = severity < incident.severity;
  const from = policy.severities[incident.severity].name;
  return {
    kind: 'done',
    incident: (isWorse ? raised : lowered)(incident, severity, policy, now),
    entries: [line('severity', wanted, `${isWorse ? 'raised' : 'lowered'} from ${from} to ${name}: ${reason}`)],
    says: `${incident.id} is ${name} now${isWorse ? ', and people are told from the first step on' : ''}`,
  };
}
