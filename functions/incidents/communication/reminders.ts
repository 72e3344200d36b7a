import { before, type Duration, days, formatSeconds, hours } from '../../common/duration.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { Incident, TimelineEntry } from '../models.ts';
import { type Regulation, type RegulatoryClock, regulatoryClocks } from './regulatory-clocks.ts';

/** How long before the deadline people are told, besides at once. A clock of hours is told of in hours. */
const remindBefore: Readonly<Record<Regulation, readonly Duration[]>> = {
  gdpr: [hours(48), hours(24), hours(12), hours(6), hours(2)],
  hipaa: [days(30), days(14), days(7), days(3), days(1)],
};
/** And afterwards, until somebody settles it. */
const remindAgainEvery = days(1);

export interface Reminder {
  readonly clock: RegulatoryClock;
  /** When it was due; a reminder is told once for each of them. */
  readonly dueAt: Timestamp;
  readonly severity: 1 | 2;
  /** Its line in the timeline, by which it is known to have been told. */
  readonly says: string;
}

/**
 * What people are to be reminded of now: for each clock that nobody has settled the newest time of reminding that has come, unless the timeline shows it. Those in between that
 * nobody was told of, because nothing ran, are left out: the newest says all that they would.
 */
export function dueReminders(
  incident: Incident,
  timeline: readonly TimelineEntry[],
  policy: Pick<IncidentPolicy, 'regulations'>,
  now: Date,
): readonly Reminder[] {
  const { breachDeclaredAt: declaredAt } = incident;
  if (!declaredAt) return [];
  return regulatoryClocks(incident, policy, now)
    .filter(({ status }) => status !== 'settled')
    .flatMap((clock) => {
      const dueAt = newestTime(clock, declaredAt, now);
      const left = Date.parse(clock.until) - Date.parse(dueAt);
      const says = left > 0 ? `${clock.rule}: ${formatSeconds(left / 1000)} left` : `${clock.rule}: the deadline ${clock.until} has passed`;
      if (timeline.some(({ kind, at, says: said }) => kind === 'communication' && at === dueAt && said === says)) return [];
      return [{ clock, dueAt, says, severity: left <= urgentBelow(clock.regulation) ? 1 : 2 }];
    });
}

/** The last reminders are urgent. */
const urgentBelow = (regulation: Regulation): number => 1000 * (remindBefore[regulation][3] ?? 0);

function newestTime({ regulation, until }: RegulatoryClock, declaredAt: Timestamp, now: Date): Timestamp {
  const deadline = new Date(until);
  const ahead = remindBefore[regulation].map((duration) => before(deadline, duration));
  const passed = now < deadline ? 0 : Math.floor((now.getTime() - deadline.getTime()) / (remindAgainEvery * 1000));
  const last = new Date(deadline.getTime() + passed * remindAgainEvery * 1000);
  const times = [new Date(declaredAt), ...ahead, last].filter((time) => time <= now && time >= new Date(declaredAt));
  return timestamp(new Date(Math.max(...times.map((time) => time.getTime()))));
}

/** Incidents opened since then may have a clock that runs, or that nobody settled for two months after its end. */
export const remindersLookBack = (now: Date, breachKnownWithin: Duration): Date => before(now, days(breachKnownWithin / 86_400 + 120));
