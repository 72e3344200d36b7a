import type { Region } from '../../common/ids.ts';
import { timeSlug, timestamp } from '../../common/ids.ts';
import type { AutomatedRunbook } from '../../common/incident-policy.ts';
import type { Operations } from '../../common/operations.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import { isOver } from '../is-over.ts';
import { AlarmName, type Incident, Subject } from '../models.ts';
import type { RunbookRequest } from './models.ts';

/** Name of what it acts on, in the config. */
const actsOn = ({ action }: Pick<AutomatedRunbook, 'action'>): string => ('capacity' in action ? action.capacity : action.database);

/** `capacity/orders-api`, `database/hms`. */
export const targetOf = ({ action }: Pick<AutomatedRunbook, 'action'>): string =>
  'capacity' in action ? `capacity/${action.capacity}` : `database/${action.database}`;

/** What its alarm must be about: a runbook that mends one service is not started by the trouble of another. */
const subjectOfRunbook = (runbook: Pick<AutomatedRunbook, 'action' | 'subject'>): Subject =>
  Subject.parse(runbook.subject ?? actsOn(runbook));

/**
 * The runs that an incident asks for: of each runbook whose alarm rings on it, about what the runbook is for, in this Region. Named by incident and generation, so that
 * asked for again each is the same run; an incident that is opened again may have another.
 */
export function runsFor(
  incident: Pick<Incident, 'id' | 'generation' | 'status' | 'troubles' | 'escalatesFrom'>,
  operations: Pick<Operations, 'regions' | 'incidents'>,
  region: Region,
): readonly RunbookRequest[] {
  if (isOver(incident) || !runsRunbooks(operations, region)) return [];
  const { id, generation } = incident;
  const ringing = incident.troubles.filter((trouble) => trouble.status === 'firing' && trouble.region === region);
  return operations.incidents.runbooks.flatMap((runbook) => {
    const subject = subjectOfRunbook(runbook);
    const trouble = ringing.find((each) => each.alarm === runbook.alarm && each.subject === subject);
    if (!trouble) return [];
    return [
      {
        runId: `${id}-${generation}-${runbook.id}`,
        runbook: runbook.id,
        region,
        ...{ alarm: trouble.alarm, subject },
        incident: { id, generation, dedupKey: trouble.dedupKey },
        requestedBy: 'codeblue',
        requestedAt: incident.escalatesFrom,
      },
    ];
  });
}

/** A run that a person asks for, with the incident that it is for where there is one. */
export function runByHand(
  runbook: AutomatedRunbook,
  asked: { readonly region: Region; readonly requestedBy: string; readonly now: Date; readonly incident?: Incident },
): RunbookRequest {
  const { region, requestedBy, now, incident } = asked;
  const subject = subjectOfRunbook(runbook);
  const trouble = incident?.troubles.find((each) => each.alarm === runbook.alarm && each.subject === subject && each.region === region);
  return {
    runId: `run-${timeSlug(now)}-${runbook.id}`,
    runbook: runbook.id,
    region,
    ...{ alarm: AlarmName.parse(runbook.alarm), subject },
    ...(incident && trouble ? { incident: { id: incident.id, generation: incident.generation, dedupKey: trouble.dedupKey } } : {}),
    requestedBy,
    requestedAt: timestamp(now),
  };
}

/** Whether the machine is deployed there: where the lead can be, and there is something for it to do. */
export const runsRunbooks = ({ regions, incidents }: Pick<Operations, 'regions' | 'incidents'>, region: Region): boolean =>
  incidents.mode === 'on' && incidents.runbooks.length > 0 && region !== regions.tertiary;

/** Runs in the Region that it acts in. */
export const runbookExecution = ({ region, runId }: Pick<RunbookRequest, 'region' | 'runId'>): ExecutionRef => ({
  region,
  machine: 'run-runbook',
  name: runId,
});
