import type { Timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { later } from '../incident/transition.ts';
import type { Incident, IncidentId, Signal, TimelineEntry } from '../models.ts';
import { byAlarms, troubleIn } from './change-incident.ts';
import type { Placed } from './place.ts';

/** Lines to append, by incident. */
export type Lines = readonly { readonly incidentId: IncidentId; readonly entries: readonly TimelineEntry[] }[];

export function newLines(): { add(id: IncidentId, entries: readonly TimelineEntry[]): void; all(): Lines } {
  const byIncident = new Map<IncidentId, TimelineEntry[]>();
  return {
    add(id, entries) {
      if (entries.length > 0) byIncident.set(id, [...(byIncident.get(id) ?? []), ...entries]);
    },
    all: () => [...byIncident].map(([incidentId, entries]) => ({ incidentId, entries })),
  };
}

/**
 * What a signal adds to the timeline of the incident that it is on. It follows from the signal and the incident alone, so that a batch that was cut off after the incident was
 * written adds the same lines when it is repeated. Repetitions of an alarm that rings add none: there are thousands of them in a storm.
 */
export function linesOf(signal: Signal, incident: Incident, policy: IncidentPolicy): readonly TimelineEntry[] {
  if (signal.action === 'acknowledge') {
    const at = later(signal.at, incident.escalatesFrom);
    const given = incident.acknowledgements.find((each) => each.at === at);
    return given ? [{ at: given.at, kind: 'acknowledgement', by: given.by, says: `acknowledged until ${given.until}` }] : [];
  }
  if (!troubleIn(incident, signal.dedupKey)?.changes.includes(signal.at)) return [];
  const { alarm, subject, region, at } = signal;
  const changed = signal.action === 'trigger' ? `rings (${policy.severities[signal.severity].name})` : 'is well';
  const generation = incident.generation === 1 ? 'opened' : `generation ${incident.generation} begins`;
  const by = signal.integration ?? signal.source;
  return [
    { at, kind: 'signal', by, says: `${alarm} of ${subject} in ${region} ${changed}` },
    { at: incident.escalatesFrom, kind: 'decision', by: 'triage', says: `${generation}: told to whom policy ${incident.policy} names` },
    ...(incident.status === 'resolved' && incident.resolvedBy === byAlarms && incident.resolvedAt
      ? [{ at: incident.resolvedAt, kind: 'resolution' as const, by: byAlarms, says: 'everything that it is about is well' }]
      : []),
  ];
}

/** What cannot be told from the incident afterwards: why its new generation begins. */
export function reasonLines(
  { outcome, incident, isRaised, says }: Placed,
  name: string,
  policy: IncidentPolicy,
  at: Timestamp,
): readonly TimelineEntry[] {
  const severity = policy.severities[incident.severity].name;
  if (isRaised) return [{ at, by: 'triage', kind: 'severity', says: `raised to ${severity} by ${name}` }];
  return outcome === 'reopened' ? [{ at, by: 'triage', kind: 'reopening', says: `${name}: ${says}` }] : [];
}
