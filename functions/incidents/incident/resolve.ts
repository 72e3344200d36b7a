import { timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { Incident } from '../models.ts';
import { declaredAlarm } from './declare.ts';
import { beginAnew, deadlinesFrom } from './generation.ts';
import { line, overBecause, refused, type Transition, type Wanted } from './transition.ts';

/** A person says that it is over. What still rings is said, and does not stand against it: people may know better than an alarm. */
export function resolve(incident: Incident, wanted: Wanted & { readonly reason: string }): Transition {
  const over = overBecause(incident);
  if (over) return incident.status === 'resolved' ? { kind: 'unchanged', says: over.because } : over;
  const { by, now, reason } = wanted;
  // What a person's word began, a person's word ends.
  const troubles = incident.troubles.map((trouble) =>
    trouble.alarm === declaredAlarm ? { ...trouble, status: 'resolved' as const } : trouble,
  );
  const ringing = troubles.filter(({ status }) => status === 'firing').length;
  const still = ringing === 0 ? '' : `; ${ringing} of its alarms still ring, and page again only when they change`;
  const { pausedUntil: _, ...rest } = incident;
  return {
    kind: 'done',
    incident: { ...rest, troubles, status: 'resolved', resolvedAt: timestamp(now), resolvedBy: by },
    entries: [line('resolution', wanted, `resolved: ${reason}${still}`)],
    says: `${incident.id} is resolved${still}`,
  };
}

/** It was resolved and is not over: a new generation, and its clocks begin again. */
export function reopen(incident: Incident, wanted: Wanted & { readonly reason: string }, policy: IncidentPolicy): Transition {
  if (incident.status === 'merged')
    return refused(`${incident.id} goes on as ${incident.mergedInto}`, `Reopen that one, or declare another.`);
  if (incident.status !== 'resolved') return { kind: 'unchanged', says: `${incident.id} is open: ${incident.status}` };
  const { now, reason } = wanted;
  const begun = beginAnew(incident, now);
  return {
    kind: 'done',
    incident: { ...begun, ...deadlinesFrom(now, incident.severity, policy), phase: 'detection' },
    entries: [line('reopening', wanted, `reopened: ${reason}`)],
    says: `${incident.id} is open again, and people are told from the first step on`,
  };
}
