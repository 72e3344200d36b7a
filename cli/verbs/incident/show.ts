import { formatSeconds } from '../../../functions/common/duration.ts';
import { type RegulatoryClock, regulatoryClocks } from '../../../functions/incidents/communication/regulatory-clocks.ts';
import { answeredUntil } from '../../../functions/incidents/incident/acknowledge.ts';
import { type IncidentClock, type IncidentClocks, incidentClocks } from '../../../functions/incidents/incident/clocks.ts';
import { type PhaseClock, phaseClocks } from '../../../functions/incidents/incident/phase.ts';
import type { Incident, Page, TimelineEntry } from '../../../functions/incidents/models.ts';
import { localTime } from '../../render/moments.ts';
import { table } from '../../render/table.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';
import { standing } from './list.ts';

export const incidentShowPorts = ['incidents', 'outbox'] as const;

export interface ShownIncident {
  readonly incident: Incident;
  readonly severity: string;
  readonly stands: string;
  readonly clocks: IncidentClocks;
  readonly phases: readonly PhaseClock[];
  readonly regulations: readonly RegulatoryClock[];
  readonly pages: readonly Page[];
  readonly timeline: readonly TimelineEntry[];
  readonly timeZone: string;
}

export async function showIncident(
  { ports, operations, clock }: Session<'incidents' | 'outbox'>,
  incident: Incident,
): Promise<ShownIncident> {
  const now = clock.now();
  const [timeline, pages] = await Promise.all([ports.incidents.timeline(incident.id), ports.outbox.of(incident.id)]);
  return {
    ...{ incident, pages, timeline, timeZone: operations.timeZone },
    severity: operations.incidents.severities[incident.severity].name,
    stands: standing(incident, answeredUntil(incident, operations.incidents, now), now),
    clocks: incidentClocks(incident, timeline, now),
    phases: phaseClocks(incident, timeline, now),
    regulations: regulatoryClocks(incident, operations.incidents, now),
  };
}

const clockText = ({ status, deadline, seconds, leftSeconds }: IncidentClock): string => {
  if (status === 'running') return `${formatSeconds(leftSeconds ?? 0)} left, until ${deadline}`;
  if (status === 'moved') return 'counts elsewhere';
  return leftSeconds === undefined ? `${status}, after ${formatSeconds(seconds)}` : `missed since ${deadline}`;
};

/** The newest lines are what matters now; all of them: --json. */
const newestLines = 40;

export function renderIncident(shown: ShownIncident, { colours }: Terminal): string {
  const { incident, severity, stands, clocks, phases, regulations, pages, timeline, timeZone } = shown;
  const local = (time: string) => localTime(time, timeZone);
  const left = timeline.length - newestLines;
  return [
    colours.bold(`${incident.id}  ${severity}  ${stands}`),
    `  opened     ${local(incident.openedAt)} in ${incident.home}, policy ${incident.policy}${incident.generation > 1 ? `, generation ${incident.generation}` : ''}`,
    `  response   ${clockText(clocks.response)}`,
    `  resolution ${clockText(clocks.resolution)}`,
    `  phase      ${phases.map(({ phase, status }) => (status === 'missed' ? colours.red(`${phase} missed`) : `${phase} ${status}`)).join(', ')}`,
    ...regulations.map(({ rule, whom, until, status }) => `  ${rule}: tell ${whom} before ${until} (${status})`),
    ...Object.entries(incident.roles).map(([role, person]) => `  ${role.padEnd(14)} ${person}`),
    ...incident.links.map(({ kind, ref }) => `  ${kind.padEnd(10)} ${ref}`),
    '',
    table(
      ['ALARM', 'OF', 'REGION', 'STANDS', 'SINCE', 'SIGNALS'],
      incident.troubles.map(({ alarm, subject, region, status, lastAt, signals }) => [
        alarm,
        subject,
        region,
        status,
        local(lastAt),
        String(signals),
      ]),
      colours.bold,
    ),
    `Read docs/runbooks/${incident.troubles[0]?.alarm}.md`,
    '',
    ...(pages.length === 0
      ? ['Nobody was told yet.']
      : [
          table(
            ['TOLD', 'BY', 'DUE', 'STANDS'],
            pages.map(({ person, method, dueAt, status, acceptedAt }) => [
              person,
              method,
              local(dueAt),
              acceptedAt ? `${status} ${local(acceptedAt)}` : status,
            ]),
            colours.bold,
          ),
        ]),
    '',
    ...(left > 0 ? [`${left} older lines: --json`] : []),
    ...timeline.slice(-newestLines).map(({ at, by, kind, says }) => `  ${local(at)}  ${kind}  ${by}: ${says}`),
  ].join('\n');
}
