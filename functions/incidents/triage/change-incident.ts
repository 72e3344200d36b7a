import { createHash } from 'node:crypto';
import { type Region, type Timestamp, timeSlug, timestamp } from '../../common/ids.ts';
import { type IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import { beginAnew, deadlinesFrom, raised } from '../incident/generation.ts';
import { later } from '../incident/transition.ts';
import { type Incident, IncidentId, type KnownAlarm, type Signal, type Trouble } from '../models.ts';
import { groupOf } from './group.ts';
import { type Standing, standingOf } from './known-alarm.ts';

/** As many alarms as an incident holds, and as many changes as it shows of each: an item of the table takes 400 KB, and these are 150 KB at most. */
const mostTroubles = 200;
const mostChanges = 12;

/** Who resolves an incident when everything that it is about is well. */
export const byAlarms = 'alarms';

const digestOf = (cause: string): string => createHash('sha256').update(cause).digest('hex').slice(0, 10);

/** Whether that signal opened it: the end of its id is a digest of what did. */
export const isOpenedBy = ({ id }: Pick<Incident, 'id'>, { signalId }: Pick<Signal, 'signalId'>): boolean =>
  id.endsWith(`-${digestOf(signalId)}`);

/** @param cause of which the end of its id is made: the signal's id */
export function openedIncident(alarm: KnownAlarm, cause: string, home: Region, { policy, now, at }: Change): Incident {
  const standing = standingOf(alarm);
  const openedAt = timestamp(now);
  return {
    id: IncidentId.parse(`inc-${timeSlug(now)}-${digestOf(cause)}`),
    home,
    status: 'triggered',
    severity: standing.severity,
    ...groupOf(alarm, policy),
    troubles: [troubleOf(alarm, standing, undefined, true)],
    openedAt,
    generation: 1,
    escalatesFrom: openedAt,
    phase: 'detection',
    ...deadlinesFrom(now, standing.severity, policy),
    acknowledgements: [],
    roles: {},
    links: [],
    lastSignalAt: at,
    version: 0,
  };
}

export const troubleIn = ({ troubles }: Pick<Incident, 'troubles'>, dedupKey: string): Trouble | undefined =>
  troubles.find((trouble) => trouble.dedupKey === dedupKey);

/** Whether the alarm rings on this incident, as badly as it does: nobody has anything to learn from hearing so again. */
export function shows(incident: Incident, { dedupKey }: KnownAlarm, { severity }: Standing): boolean {
  const trouble = troubleIn(incident, dedupKey);
  return trouble?.status === 'firing' && trouble.severity <= severity;
}

/** Room for one alarm more: a place that is free, or one of an alarm that is well. */
export const hasRoomFor = ({ troubles }: Incident, dedupKey: string): boolean =>
  troubles.length < mostTroubles || troubles.some((trouble) => trouble.status === 'resolved' || trouble.dedupKey === dedupKey);

/**
 * The incident with the alarm as it stands. When it is worse than the incident and that is news, the incident is raised and told anew. An incident whose alarms are all well
 * is resolved.
 *
 * @param isNews whether a signal is counted that was not counted before
 */
export function withAlarm(incident: Incident, alarm: KnownAlarm, { policy, now, at, isNews }: Change): Incident {
  const standing = standingOf(alarm);
  const before = troubleIn(incident, alarm.dedupKey);
  const trouble = troubleOf(alarm, standing, before, isNews);
  const joined: Incident = {
    ...incident,
    troubles: before ? incident.troubles.map((each) => (each === before ? trouble : each)) : [...madeRoom(incident.troubles), trouble],
    lastSignalAt: later(incident.lastSignalAt, at),
  };
  const isRaised = standing.rings && standing.severity < incident.severity && !shows(incident, alarm, standing);
  if (isRaised) return raised(joined, standing.severity, policy, now);
  const isWell = joined.troubles.every(({ status }) => status === 'resolved');
  if (!isWell || incident.status === 'resolved' || incident.status === 'merged') return joined;
  const { pausedUntil: _, ...rest } = joined;
  return { ...rest, status: 'resolved', resolvedAt: timestamp(now), resolvedBy: byAlarms };
}

export interface Change {
  readonly policy: IncidentPolicy;
  readonly now: Date;
  /** When it happened, by the source: how near the next signal is, is counted from then. */
  readonly at: Timestamp;
  readonly isNews: boolean;
}

/** It was resolved, and the same trouble is back: the clocks begin again. */
export function reopened(incident: Incident, alarm: KnownAlarm, change: Change): Incident {
  const { policy, now } = change;
  const ringing = incident.troubles.filter(({ status }) => status === 'firing').map((trouble) => trouble.severity);
  const severity = Severity.parse(Math.min(standingOf(alarm).severity, ...ringing));
  const back: Incident = { ...beginAnew(incident, now), severity, ...deadlinesFrom(now, severity, policy), phase: 'detection' };
  return withAlarm(back, alarm, change);
}

function troubleOf(alarm: KnownAlarm, standing: Standing, before: Trouble | undefined, isNews: boolean): Trouble {
  const { dedupKey, alarm: name, subject, region } = alarm;
  return {
    dedupKey,
    alarm: name,
    subject,
    region,
    severity: standing.severity,
    status: standing.rings ? 'firing' : 'resolved',
    firstAt: before?.firstAt ?? standing.changes.at(-1) ?? standing.lastAt,
    lastAt: standing.lastAt,
    signals: (before?.signals ?? 0) + Number(isNews || before === undefined),
    changes: standing.changes.slice(-mostChanges),
  };
}

/** Without the alarm that has been well for longest, where the incident is full. */
function madeRoom(troubles: readonly Trouble[]): readonly Trouble[] {
  if (troubles.length < mostTroubles) return troubles;
  const [oldest] = troubles.filter(({ status }) => status === 'resolved').sort((a, b) => (a.lastAt < b.lastAt ? -1 : 1));
  return troubles.filter((trouble) => trouble !== oldest);
}
