import { before, type Duration } from '../../../functions/common/duration.ts';
import type { Timestamp } from '../../../functions/common/ids.ts';
import { answeredUntil } from '../../../functions/incidents/incident/acknowledge.ts';
import { type IncidentClocks, incidentClocks } from '../../../functions/incidents/incident/clocks.ts';
import { isInForce } from '../../../functions/incidents/incident/silence.ts';
import { isOver } from '../../../functions/incidents/is-over.ts';
import type { Incident, Silence } from '../../../functions/incidents/models.ts';
import { relativeTime } from '../../render/moments.ts';
import { table } from '../../render/table.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';

export const incidentListPorts = ['incidents'] as const;

export interface ListedIncident {
  readonly incident: Incident;
  readonly severity: string;
  /** `answered until ...`, `nobody answers`, `paused until ...`, `resolved`. */
  readonly stands: string;
  readonly clocks: IncidentClocks;
}

export interface IncidentList {
  readonly at: Timestamp | string;
  readonly incidents: readonly ListedIncident[];
  /** In force now. */
  readonly silences: readonly Silence[];
}

const most = 1000;

/** Open ones; with `since` also what was opened in that time and is over. Worst first, then the oldest. */
export async function listIncidents(
  { ports, operations, clock }: Session<'incidents'>,
  since: Duration | undefined,
): Promise<IncidentList> {
  const now = clock.now();
  const [open, recent, silences] = await Promise.all([
    ports.incidents.open(),
    since === undefined ? [] : ports.incidents.recent(before(now, since), most),
    ports.incidents.silences(),
  ]);
  const all = [...new Map([...open, ...recent].map((incident) => [incident.id, incident])).values()];
  const incidents = await Promise.all(
    all.map(async (incident) => ({
      incident,
      severity: operations.incidents.severities[incident.severity].name,
      stands: standing(incident, answeredUntil(incident, operations.incidents, now), now),
      clocks: incidentClocks(incident, await ports.incidents.timeline(incident.id), now),
    })),
  );
  incidents.sort(
    (a, b) =>
      Number(isOver(a.incident)) - Number(isOver(b.incident)) ||
      a.incident.severity - b.incident.severity ||
      (a.incident.openedAt < b.incident.openedAt ? -1 : 1),
  );
  return { at: now.toISOString(), incidents, silences: silences.filter((silence) => isInForce(silence, now)) };
}

/** How it stands, for people. */
export function standing(incident: Incident, answered: Date | undefined, now: Date): string {
  if (incident.status === 'merged') return `goes on as ${incident.mergedInto}`;
  if (incident.status === 'resolved') return `resolved by ${incident.resolvedBy}`;
  if (incident.pausedUntil && Date.parse(incident.pausedUntil) > now.getTime()) return `paused until ${incident.pausedUntil}`;
  if (answered)
    return `answered by ${[...new Set(incident.acknowledgements.map(({ by }) => by))].join(', ')} until ${answered.toISOString()}`;
  return incident.acknowledgements.length > 0 ? 'not answered any more' : 'nobody answers';
}

export function renderIncidentList({ at, incidents, silences }: IncidentList, { colours }: Terminal): string {
  const now = new Date(at);
  const rows = incidents.map(({ incident, severity, stands, clocks }) => {
    const alarms = [...new Set(incident.troubles.map(({ alarm, subject }) => `${alarm} of ${subject}`))];
    const missed = [
      clocks.response.status === 'missed' ? 'response' : '',
      clocks.resolution.status === 'missed' ? 'resolution' : '',
    ].filter(Boolean);
    return [
      incident.id,
      { text: severity, paint: incident.severity === 1 ? colours.red : (text: string) => text },
      relativeTime(incident.openedAt, now),
      alarms.length > 2 ? `${alarms.slice(0, 2).join(', ')} and ${alarms.length - 2} more` : alarms.join(', '),
      stands,
      {
        text: missed.length > 0 ? `missed: ${missed.join(', ')}` : 'kept so far',
        paint: missed.length > 0 ? colours.red : (text: string) => text,
      },
    ];
  });
  const none =
    incidents.length === 0
      ? 'No incident is open.'
      : table(['INCIDENT', 'SEVERITY', 'OPENED', 'WHAT', 'STANDS', 'CLOCKS'], rows, colours.bold);
  const silent = silences.map(
    ({ silenceId, alarm, subject, region, until, by, reason }) =>
      `  ${silenceId}  ${[alarm, subject, region].filter(Boolean).join(', ')} until ${until}, by ${by}: ${reason}`,
  );
  return [none, ...(silent.length > 0 ? ['', 'Silences in force', ...silent] : [])].join('\n');
}
