import { after } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import type { IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import type { Incident } from '../models.ts';
import { earlier, later } from './transition.ts';

type Clocks = Pick<IncidentPolicy, 'severities'>;

/** Deadlines of the profile for clocks that begin at `from`. */
export const deadlinesFrom = (from: Date, severity: Severity, { severities }: Clocks): Pick<Incident, 'respondBy' | 'resolveBy'> => ({
  respondBy: timestamp(after(from, severities[severity].respondWithin)),
  resolveBy: timestamp(after(from, severities[severity].resolveWithin)),
});

/** A generation more: it is told from the first step on, since what was answered was something else. */
export function beginAnew({ pausedUntil: _, resolvedAt: __, resolvedBy: ___, ...incident }: Incident, now: Date): Incident {
  return { ...incident, status: 'triggered', acknowledgements: [], generation: incident.generation + 1, escalatesFrom: timestamp(now) };
}

/** Worse than it was: it begins anew, and its deadlines come nearer and never go further away. */
export function raised(incident: Incident, severity: Severity, policy: Clocks, now: Date): Incident {
  const { respondBy, resolveBy } = deadlinesFrom(now, severity, policy);
  return {
    ...beginAnew(incident, now),
    severity,
    respondBy: earlier(incident.respondBy, respondBy),
    resolveBy: earlier(incident.resolveBy, resolveBy),
  };
}

/** Less bad than it was: deadlines that are still ahead move away, as if this generation had begun so. One that was missed stays missed. */
export function lowered(incident: Incident, severity: Severity, policy: Clocks, now: Date): Incident {
  const { respondBy, resolveBy } = deadlinesFrom(new Date(incident.escalatesFrom), severity, policy);
  const moved = (deadline: Incident['respondBy'], to: Incident['respondBy']) =>
    deadline <= timestamp(now) ? deadline : later(deadline, to);
  return { ...incident, severity, respondBy: moved(incident.respondBy, respondBy), resolveBy: moved(incident.resolveBy, resolveBy) };
}
