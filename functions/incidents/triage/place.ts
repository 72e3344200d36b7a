import { type Duration, formatSeconds, secondsBetween } from '../../common/duration.ts';
import type { Timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { Incident, KnownAlarm } from '../models.ts';
import type { Board } from './board.ts';
import { type Change, hasRoomFor, openedIncident, reopened, troubleIn, withAlarm } from './change-incident.ts';
import { groupOf } from './group.ts';

export interface Placing extends Change {
  readonly board: Board;
  /** Of which the id of an incident is made that is opened for it. */
  readonly cause: string;
}

export interface Placed {
  readonly outcome: 'opened' | 'joined' | 'reopened';
  readonly incident: Incident;
  /** After `joined inc-...: `. */
  readonly says: string;
  /** Its severity rose. */
  readonly isRaised: boolean;
}

/** An incident where this alarm belongs as things are, and why. */
export function incidentFor(
  alarm: KnownAlarm,
  { board, policy, at }: Pick<Placing, 'board' | 'policy' | 'at'>,
): { readonly incident: Incident; readonly says: string } | undefined {
  const { dedupKey } = alarm;
  const own = board.openWith(dedupKey);
  if (own) return { incident: own, says: 'the same alarm' };
  const roomy = board.open().filter((incident) => hasRoomFor(incident, dedupKey));
  for (const incident of roomy) {
    const source = inhibitor(incident, alarm, policy);
    if (source) return { incident, says: `${source} explains it` };
  }
  const { groupKey } = groupOf(alarm, policy);
  const group = roomy.find((incident) => incident.groupKey === groupKey && isWithin(policy.groupWithin, incident.lastSignalAt, at));
  if (!group) return undefined;
  const gap = Math.abs(secondsBetween(new Date(group.lastSignalAt), new Date(at)));
  return { incident: group, says: `of the same group, ${formatSeconds(gap)} from its last signal` };
}

/**
 * Puts an alarm that rings where it belongs: on the open incident that has it, on the one whose cause explains it, on that of its group, on the one that it was on a moment
 * ago, or on one of its own.
 */
export function place(alarm: KnownAlarm, placing: Placing): Placed {
  const { board, policy, now, cause } = placing;
  const there = incidentFor(alarm, placing);
  if (there) {
    const joined = board.update(withAlarm(there.incident, alarm, placing));
    return { outcome: 'joined', incident: joined, says: there.says, isRaised: joined.severity < there.incident.severity };
  }
  const last = alarm.incidentId && board.incident(alarm.incidentId);
  if (
    last?.status === 'resolved' &&
    last.home === board.home &&
    hasRoomFor(last, alarm.dedupKey) &&
    isRecent(last, policy.groupWithin, now)
  ) {
    const again = board.update(reopened(last, alarm, placing));
    return { outcome: 'reopened', incident: again, says: `it rings again, and was resolved at ${last.resolvedAt}`, isRaised: false };
  }
  const opened = openedIncident(alarm, cause, board.home, placing);
  const full = board.open().find((incident) => incident.groupKey === opened.groupKey && !hasRoomFor(incident, alarm.dedupKey));
  const incident: Incident = full ? { ...opened, links: [{ kind: 'incident', ref: full.id }] } : opened;
  board.create(incident);
  return { outcome: 'opened', incident, says: full ? `${full.id} is full` : 'nothing open explains it', isRaised: false };
}

/** The alarm that rings on the incident and that the config names as a cause of this one. */
function inhibitor({ troubles }: Incident, { alarm, region }: KnownAlarm, { inhibitions }: IncidentPolicy): string | undefined {
  const sources = inhibitions.filter(({ silences }) => silences.includes(alarm)).map(({ source }) => source);
  return troubles.find((trouble) => trouble.status === 'firing' && trouble.region === region && sources.includes(trouble.alarm))?.alarm;
}

const isRecent = ({ resolvedAt }: Incident, within: Duration, now: Date): boolean =>
  resolvedAt !== undefined && secondsBetween(new Date(resolvedAt), now) < within;

const isWithin = (within: Duration, a: Timestamp, b: Timestamp): boolean => Math.abs(secondsBetween(new Date(a), new Date(b))) <= within;

/** What an alarm that is well changes: wherever it rings it is well now. @returns those incidents */
export function settle(alarm: KnownAlarm, { board, ...change }: Omit<Placing, 'cause'>): readonly Incident[] {
  const ringing = board.having(alarm.dedupKey).filter((incident) => troubleIn(incident, alarm.dedupKey)?.status === 'firing');
  return ringing.map((incident) => board.update(withAlarm(incident, alarm, change)));
}
