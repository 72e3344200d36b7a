import { after, type Duration, days, hours, minutes } from '../../common/duration.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import { type Incident, ResponsePhase, type TimelineEntry } from '../models.ts';
import { clocksBegan } from './clocks-began.ts';
import { line, overBecause, refused, type Transition, type Wanted } from './transition.ts';

/** When each phase should be over, counted from the opening: hms operations manual, "Incident Response Plan". */
const overWithin: Readonly<Record<ResponsePhase, Duration>> = {
  detection: minutes(15),
  containment: minutes(60),
  eradication: hours(4),
  recovery: hours(24),
  lessons: days(7),
};

const phases = ResponsePhase.options;
const sentence = (phase: ResponsePhase): string => `${phase} begins`;
const rank = (phase: ResponsePhase): number => phases.indexOf(phase);

/** People say which phase it is in; going back is no mistake: what seemed contained has spread. Lessons are for when it is resolved. */
export function enterPhase(incident: Incident, wanted: Wanted & { readonly phase: ResponsePhase; readonly reason?: string }): Transition {
  const { phase, reason } = wanted;
  const over = overBecause(incident);
  if (over && !(incident.status === 'resolved' && phase === 'lessons')) return over;
  if (!over && phase === 'lessons') {
    return refused(
      `${incident.id} is not over, and lessons are what comes after`,
      `codeblue incident resolve ${incident.id} --reason "..."`,
    );
  }
  if (phase === incident.phase) return { kind: 'unchanged', says: `${incident.id} is in ${phase} already` };
  const isBack = rank(phase) < rank(incident.phase);
  const why = reason ? `${isBack ? ' again' : ''}: ${reason}` : isBack ? ' again' : '';
  return {
    kind: 'done',
    incident: { ...incident, phase },
    entries: [line('phase', wanted, `${sentence(phase)}${why}`)],
    says: `${incident.id}: ${sentence(phase)}${isBack ? ' again' : ''}`,
  };
}

export interface PhaseClock {
  readonly phase: ResponsePhase;
  /** When the plan wants it over. */
  readonly until: Timestamp;
  /** When a later phase began, or the incident was over. */
  readonly endedAt?: Timestamp;
  /** `ahead`: a phase before it is under way. */
  readonly status: 'kept' | 'missed' | 'running' | 'ahead';
}

/** The five phases against the plan's clocks: each is over when the last step beyond it was taken and not taken back. */
export function phaseClocks(incident: Incident, timeline: readonly TimelineEntry[], now: Date): readonly PhaseClock[] {
  const began = clocksBegan(incident, timeline);
  const entered = timeline
    .filter(({ kind, at }) => kind === 'phase' && at >= began)
    .flatMap(({ at, says }) => phases.filter((phase) => says.startsWith(sentence(phase))).map((phase) => ({ phase, at })));
  const endOf = (phase: ResponsePhase): Timestamp | undefined => {
    if (phase === 'lessons') return undefined;
    let ended: Timestamp | undefined;
    for (const step of entered) {
      if (rank(step.phase) <= rank(phase)) ended = undefined;
      else ended ??= step.at;
    }
    return ended ?? incident.resolvedAt;
  };
  const current = incident.resolvedAt ? rank('lessons') : rank(incident.phase);
  return phases.map((phase) => {
    const until = timestamp(after(new Date(began), overWithin[phase]));
    const endedAt = endOf(phase);
    if (endedAt) return { phase, until, endedAt, status: endedAt <= until ? 'kept' : 'missed' };
    if (timestamp(now) > until && rank(phase) <= current) return { phase, until, status: 'missed' };
    return { phase, until, status: rank(phase) <= current ? 'running' : 'ahead' };
  });
}
