import { secondsBetween } from '../../common/duration.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { Incident, TimelineEntry } from '../models.ts';
import { clocksBegan } from './clocks-began.ts';

export interface IncidentClock {
  readonly deadline: Timestamp;
  /** `moved`: it was merged, and the clocks of the other one count. A missed clock stays missed, also when it has been stopped since. */
  readonly status: 'kept' | 'missed' | 'running' | 'moved';
  /** When it was stopped: somebody answered, it was resolved. */
  readonly at?: Timestamp;
  /** From when it began to when it was stopped, or until now. */
  readonly seconds: number;
  /** Until the deadline, while it runs; negative once it has passed. */
  readonly leftSeconds?: number;
}

/** Clocks of the profile: somebody answers, it is resolved. */
export interface IncidentClocks {
  readonly response: IncidentClock;
  readonly resolution: IncidentClock;
}

/**
 * Whether the promised times were kept. The response counts to the first acknowledgement since the clocks began, whichever generation it was given in; an incident that
 * was over before anybody answered was responded to by its end.
 */
export function incidentClocks(incident: Incident, timeline: readonly TimelineEntry[], now: Date): IncidentClocks {
  const began = clocksBegan(incident, timeline);
  const acknowledged = [
    ...timeline.filter(({ kind }) => kind === 'acknowledgement').map(({ at }) => at),
    ...incident.acknowledgements.map(({ at }) => at),
  ].filter((at) => at >= began);
  const ended = incident.resolvedAt;
  const answered = [...acknowledged, ...(ended ? [ended] : [])].sort()[0];
  const clock = (deadline: Timestamp, at: Timestamp | undefined): IncidentClock => {
    const seconds = secondsBetween(new Date(began), at ? new Date(at) : now);
    if (at) return { deadline, status: at <= deadline ? 'kept' : 'missed', at, seconds };
    if (incident.status === 'merged') return { deadline, status: 'moved', seconds };
    const leftSeconds = secondsBetween(now, new Date(deadline));
    return { deadline, status: timestamp(now) <= deadline ? 'running' : 'missed', seconds, leftSeconds };
  };
  return { response: clock(incident.respondBy, answered), resolution: clock(incident.resolveBy, ended) };
}
