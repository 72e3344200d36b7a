import type { EscalationPolicy, IncidentPolicy } from '../../common/incident-policy.ts';
import { turns } from './on-call.ts';
import type { Span } from './rotation.ts';

/** A step of a policy that would tell nobody in that time. */
export interface CoverageGap {
  readonly policy: string;
  /** From 0. */
  readonly step: number;
  readonly from: Date;
  readonly until: Date;
}

/** A year and a day: every day of the week, of the month and of the calendar, and both changes of the clocks. */
const coveredDays = 366;

/**
 * Times in which a step of an escalation policy tells nobody, over the coming year. A step that names a person always tells somebody; one that names schedules
 * does while any of them has somebody on duty. Overrides are left out: they replace people, and end.
 */
export function coverageGaps({ policies, schedules }: Pick<IncidentPolicy, 'policies' | 'schedules'>, now: Date): readonly CoverageGap[] {
  const until = new Date(now.getTime() + coveredDays * 86_400_000);
  const empty = new Map(
    schedules.map((schedule) => [
      schedule.id,
      turns(schedule, now, until).flatMap((turn) =>
        turn.person === undefined ? [{ from: turn.from.getTime(), until: turn.until.getTime() }] : [],
      ),
    ]),
  );
  const whole = [{ from: now.getTime(), until: until.getTime() }];
  return policies.flatMap((policy) =>
    policy.steps.flatMap((step, index) =>
      gapsOf(step, empty, whole).map((gap) => ({ policy: policy.id, step: index, from: new Date(gap.from), until: new Date(gap.until) })),
    ),
  );
}

function gapsOf(
  { notify }: EscalationPolicy['steps'][number],
  empty: ReadonlyMap<string, readonly Span[]>,
  whole: readonly Span[],
): readonly Span[] {
  if (notify.some((target) => 'person' in target)) return [];
  return notify.reduce<readonly Span[]>(
    (left, target) => inBoth(left, 'schedule' in target ? (empty.get(target.schedule) ?? whole) : []),
    whole,
  );
}

/** Time that lies in both of two ascending lists. */
function inBoth(some: readonly Span[], others: readonly Span[]): readonly Span[] {
  return some.flatMap((a) =>
    others.flatMap((b) => {
      const span = { from: Math.max(a.from, b.from), until: Math.min(a.until, b.until) };
      return span.from < span.until ? [span] : [];
    }),
  );
}
