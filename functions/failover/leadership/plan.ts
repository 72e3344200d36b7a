import { objectiveFor } from '../../backup/recovery-objective.ts';
import { formatSeconds, secondsBetween } from '../../common/duration.ts';
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
  readonly kind: 'failover' | 'switchover';
  readonly to: Region;
  readonly requestedBy: string;
  readonly reason: string;
  readonly now: Date;
  readonly needsApproval: boolean;
  /** Since when something is wrong, where the request is about an outage. */
  readonly outageSince?: Date;
}

type PlanOrRefusal = { readonly kind: 'plan'; readonly plan: FailoverPlan } | { readonly kind: 'refused'; readonly because: string };

const refused = (because: string): PlanOrRefusal => ({ kind: 'refused', because });

/** The record that a plan can start from, or why none can. */
function standingToPlanFrom(
  { failover }: Pick<Operations, 'failover'>,
  record: CoordinationRecord | undefined,
): CoordinationRecord | string {
  if (failover.mode === 'off') return 'failover.mode is off: nothing is observed and nothing is fenced';
  if (record === undefined) return 'no guardian has ever renewed a lease: there is nothing to move yet';
  if (record.phase !== 'active') return `epoch ${record.epoch} is ${record.phase} for ${record.holder}: one change at a time`;
  return record;
}

/** An inherited lease must be over before the copy is opened: it was restored to a time when the old database held one. */
const restoredLongEnoughSeconds = ({ lease }: Pick<Operations['failover'], 'lease'>): number => lease.length + lease.margin;

/** A restored copy in the place of a damaged database of the Region that leads. People always agree to it first: everything since `restoredTo` is lost. */
export function planReplacement(
  request: Omit<PlanRequest, 'kind' | 'to' | 'needsApproval' | 'outageSince'> & {
    readonly replacement: NonNullable<FailoverPlan['replacement']>;
  },
): PlanOrRefusal {
  const { operations, replacement, requestedBy, reason, now } = request;
  const record = standingToPlanFrom(operations, request.record);
  if (typeof record === 'string') return refused(record);
  const { databaseId, restoredTo } = replacement;
  if (!operations.databases.some(({ id }) => id === databaseId)) return refused(`the config has no database ${databaseId}`);
  const age = secondsBetween(new Date(restoredTo), now);
  if (age < restoredLongEnoughSeconds(operations.failover)) {
    return refused(`${restoredTo} is only ${formatSeconds(Math.max(0, age))} ago: a lease that the copy inherits may not be over`);
  }
  const plan: FailoverPlan = {
    ...{ kind: 'replace', from: record.holder, to: record.holder, epoch: Epoch.parse(record.epoch + 1), requestedBy },
    ...{ reason: reason.slice(0, 1000), requestedAt: timestamp(now), needsApproval: true, replacement },
    // The others are closed and opened again: they lose nothing. Of this one people agree to lose what came after the moment that they see in the plan.
    databases: operations.databases.map(({ id }) => ({ databaseId: id, lossBudgetSeconds: 0 })),
  };
  return { kind: 'plan', plan };
}

/**
 * What a person, a drill or failback asks for, as a plan for the next epoch; or why there can be none. Without a complete fence a human must agree,
 * whatever was asked for. A planned change may lose nothing: its budgets are zero.
 */
export function planFailover(request: PlanRequest): PlanOrRefusal {
  const { operations, kind, to, requestedBy, reason, now, needsApproval, outageSince } = request;
  const record = standingToPlanFrom(operations, request.record);
  if (typeof record === 'string') return refused(record);
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
