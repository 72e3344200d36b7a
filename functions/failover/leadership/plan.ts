import { objectiveFor } from '../../backup/recovery-objective.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { type CoordinationRecord, Epoch, type FailoverPlan } from '../models.ts';
import { candidateRegions } from './candidates.ts';

/** Who asks when the observers decide. */
export const automaticRequester = 'codeblue';

export interface PlanRequest {
  readonly operations: Pick<Operations, 'regions' | 'databases' | 'failover'>;
  /** As it was just read; undefined where nobody ever led. */
  readonly record: CoordinationRecord | undefined;
  readonly kind: FailoverPlan['kind'];
  readonly to: Region;
  readonly requestedBy: string;
  readonly reason: string;
  readonly now: Date;
  readonly needsApproval: boolean;
  /** Since when something is wrong, where the request is about an outage. */
  readonly outageSince?: Date;
}

/**
 * What a person, a drill or failback asks for, as a plan for the next epoch; or why there can be none. Without a complete fence a human must agree,
 * whatever was asked for. A planned change may lose nothing: its budgets are zero.
 */
export function planFailover(
  request: PlanRequest,
): { readonly kind: 'plan'; readonly plan: FailoverPlan } | { readonly kind: 'refused'; readonly because: string } {
  const { operations, record, kind, to, requestedBy, reason, now, needsApproval, outageSince } = request;
  const refused = (because: string) => ({ kind: 'refused' as const, because });
  if (operations.failover.mode === 'off') return refused('failover.mode is off: nothing is observed and nothing is fenced');
  if (record === undefined) return refused('no guardian has ever renewed a lease: there is nothing to move yet');
  if (record.phase !== 'active') return refused(`epoch ${record.epoch} is ${record.phase} for ${record.holder}: one change at a time`);
  if (record.holder === to) return refused(`${to} leads already, in epoch ${record.epoch}`);
  const candidates = candidateRegions(operations);
  if (!candidates.includes(to)) {
    return refused(
      `${to} cannot lead: every database must have its primary or its replica there (${candidates.join(', ') || 'no Region'} can)`,
    );
  }
  const plan: FailoverPlan = {
    kind,
    from: record.holder,
    to,
    epoch: Epoch.parse(record.epoch + 1),
    requestedBy,
    reason: reason.slice(0, 1000),
    requestedAt: timestamp(now),
    ...(outageSince ? { outageSince: timestamp(outageSince) } : {}),
    needsApproval: needsApproval || !record.fenced,
    databases: operations.databases.map(({ id, objectives }) => ({
      databaseId: id,
      lossBudgetSeconds: kind === 'switchover' ? 0 : objectiveFor('region-loss', objectives),
    })),
  };
  return { kind: 'plan', plan };
}
