import { after, formatSeconds, hours } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import type { Incident } from '../models.ts';
import { line, overBecause, refused, type Transition, type Wanted } from './transition.ts';

/** Nobody is paged while it lasts, whatever happens: not for longer than somebody can be awake. */
const longestPause = hours(12);

/** Nobody is paged before `until`: a person works on it, or maintenance is on. It goes on by itself then. */
export function pause(incident: Incident, wanted: Wanted & { readonly until: Date; readonly reason: string }): Transition {
  const over = overBecause(incident);
  if (over) return over;
  const { until, now, reason } = wanted;
  if (until <= now) return refused(`${until.toISOString()} has passed`, 'Name a time to come.');
  if (until > after(now, longestPause)) {
    return refused(
      `a pause until ${until.toISOString()} is longer than ${formatSeconds(longestPause)}`,
      'Pause for less, and again when it is needed.',
    );
  }
  const pausedUntil = timestamp(until);
  return {
    kind: 'done',
    incident: { ...incident, pausedUntil },
    entries: [line('decision', wanted, `paused until ${pausedUntil}: ${reason}`)],
    says: `Nobody is paged for ${incident.id} before ${pausedUntil}`,
  };
}

/** Ends a pause early. The escalation goes on from now. */
export function goOn(incident: Incident, wanted: Wanted): Transition {
  const over = overBecause(incident);
  if (over) return over;
  const at = timestamp(wanted.now);
  if (incident.pausedUntil === undefined || incident.pausedUntil <= at) return { kind: 'unchanged', says: `${incident.id} is not paused` };
  return {
    kind: 'done',
    incident: { ...incident, pausedUntil: at },
    entries: [line('decision', wanted, 'the pause is ended')],
    says: `${incident.id} goes on: people are told until somebody answers`,
  };
}
