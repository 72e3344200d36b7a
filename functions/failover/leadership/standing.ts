import type { CoordinationRecord, FailoverPlan } from '../models.ts';
import { isFor } from './claim.ts';

/**
 * How far a plan came, by the coordination record: what makes an execution resumable.
 *
 * `before`       the plan's turn, nothing done
 * `claimed`      by this very plan
 * `promoting`    by this very plan: only forward
 * `leads`        its Region leads in its epoch
 * `rolled-back`  it was given back
 * `elsewhere`    somebody else moved
 */
export type Standing = 'before' | 'claimed' | 'promoting' | 'leads' | 'rolled-back' | 'elsewhere';

export function standingOf(record: CoordinationRecord | undefined, plan: FailoverPlan): Standing {
  if (record === undefined) return 'elsewhere';
  const { phase, epoch, holder } = record;
  if (phase !== 'active') return isFor(record, plan) ? phase : 'elsewhere';
  if (epoch === plan.epoch && holder === plan.to) return 'leads';
  if (epoch + 1 === plan.epoch && holder === plan.from) return 'before';
  if (epoch === plan.epoch + 1 && holder === plan.from) return 'rolled-back';
  return 'elsewhere';
}
