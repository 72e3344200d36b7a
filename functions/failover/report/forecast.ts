import type { Operations } from '../../common/operations.ts';
import type { FailoverPlan } from '../models.ts';
import { type ExpectedPhase, expectedPhases } from './expected-phases.ts';
import { type PhaseName, phaseNames, phaseSeconds } from './phases.ts';
import type { FailoverReport } from './report-model.ts';

export interface PhaseForecast extends ExpectedPhase {
  readonly phase: PhaseName;
}

/** Recovery time that is expected, and at worst, against its objective. */
export interface RecoveryForecast {
  readonly expectedSeconds: number;
  readonly worstSeconds: number;
  readonly objectiveSeconds: number;
}

/** Counted from the beginning of the trouble, or from the request where there is none. */
export interface Forecast {
  readonly phases: readonly PhaseForecast[];
  /** To the first confirmed write. */
  readonly database: RecoveryForecast;
  /** To traffic that has moved. */
  readonly criticalServices: RecoveryForecast;
  /** To full strength. */
  readonly full: RecoveryForecast;
}

/**
 * How long a change of leadership will take, phase by phase. Medians of earlier reports of the same kind stand in for what was expected, and the
 * longest of them for a worst case that was thought shorter.
 */
export function forecast(
  operations: Pick<Operations, 'databases' | 'failover'>,
  plan: Pick<FailoverPlan, 'kind' | 'needsApproval'>,
  earlier: readonly FailoverReport[] = [],
): Forecast {
  const measured = earlier.filter((report) => report.plan.kind === plan.kind).map(({ phases }) => phaseSeconds(phases));
  const expected = expectedPhases(operations, plan);
  const phases = phaseNames.map((phase) => ({
    phase,
    ...corrected(
      expected[phase],
      measured.flatMap((each) => each.get(phase) ?? []),
    ),
  }));
  const until = (last: PhaseName, objectiveSeconds: number): RecoveryForecast => {
    const counted = phases.slice(0, phaseNames.indexOf(last) + 1);
    const sum = (value: (phase: ExpectedPhase) => number) => counted.reduce((total, phase) => total + value(phase), 0);
    return { expectedSeconds: sum((each) => each.expectedSeconds), worstSeconds: sum((each) => each.worstSeconds), objectiveSeconds };
  };
  const { objectives } = operations.failover;
  return {
    phases,
    database: until('confirm', objectives.database),
    criticalServices: until('traffic', objectives.criticalServices),
    full: until('strength', objectives.full),
  };
}

/** What was measured tells more than what was assumed. */
function corrected(phase: ExpectedPhase, seconds: readonly number[]): ExpectedPhase {
  const sorted = [...seconds].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median === undefined) return phase;
  const worstSeconds = Math.max(phase.worstSeconds, ...sorted);
  const because = sorted.length === 1 ? 'measured once' : `the median of ${sorted.length} earlier changes`;
  return { expectedSeconds: median, worstSeconds, because };
}
