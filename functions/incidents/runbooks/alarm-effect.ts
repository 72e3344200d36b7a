import type { Timestamp } from '../../common/ids.ts';
import { severities } from '../../common/incident-policy.ts';
import type { Operations } from '../../common/operations.ts';
import { alarmNameOf } from '../alarms/alarm-name.ts';
import { isOver } from '../is-over.ts';
import type { AlarmStates, Incidents } from '../ports.ts';
import type { RunbookRequest } from './models.ts';

/** How the alarm stands that a run is about. `since`: when it became so, where somebody knows. */
export interface AlarmStanding {
  readonly state: 'rings' | 'well' | 'unknown';
  readonly since?: Timestamp;
}

interface Sight {
  readonly alarmStates: AlarmStates;
  readonly incidents: Pick<Incidents, 'get'>;
  readonly operations: Pick<Operations, 'name'>;
}

/**
 * CloudWatch's word, where it has an alarm of that name, since triage may be behind. Else the incident's: alarms of other tools come through the doors alone. `unknown` where
 * neither knows it, or data is missing: what nobody sees is not well.
 */
export async function standingOfAlarm({ region, alarm, subject, incident }: RunbookRequest, sight: Sight): Promise<AlarmStanding> {
  const names = severities.map((severity) => alarmNameOf({ deployment: sight.operations.name, severity, alarm, subject }));
  const states = (await Promise.all(names.map((name) => sight.alarmStates.state(region, name)))).filter((state) => state !== undefined);
  const ringing = states.find(({ state }) => state === 'alarm');
  if (ringing) return { state: 'rings', since: ringing.since };
  const [well] = states;
  if (well) return { state: well.state === 'ok' ? 'well' : 'unknown', since: well.since };
  const stored = incident && (await sight.incidents.get(incident.id));
  const trouble = stored?.troubles.find(({ dedupKey }) => dedupKey === incident?.dedupKey);
  if (!stored || !trouble) return { state: 'unknown' };
  return { state: trouble.status === 'firing' ? 'rings' : 'well', since: trouble.lastAt };
}

/** Why a run has nothing to mend any more; undefined while its incident goes on. A run without one is a person's wish. */
export async function isOutdated({ incident }: RunbookRequest, incidents: Pick<Incidents, 'get'>): Promise<string | undefined> {
  if (!incident) return undefined;
  const stored = await incidents.get(incident.id);
  if (!stored) return `there is no incident ${incident.id}`;
  if (isOver(stored)) return `${incident.id} is ${stored.status}`;
  if (stored.generation > incident.generation)
    return `${incident.id} was opened or raised again, and its generation ${stored.generation} has runs of its own`;
  const trouble = stored.troubles.find(({ dedupKey }) => dedupKey === incident.dedupKey);
  return trouble?.status === 'firing' ? undefined : `${trouble?.alarm ?? 'the alarm'} is well already`;
}
