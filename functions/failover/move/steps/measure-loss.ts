import { formatSeconds, minutes, seconds, secondsBetween } from '../../../common/duration.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { standingOf } from '../../leadership/standing.ts';
import { type CoordinationRecord, type FailoverPlan, FailoverRecord, type LossEstimate } from '../../models.ts';
import { whyAstray } from '../followed-primary.ts';
import { estimateLoss, isWithinBudget } from '../loss.ts';
import { found, pastItsEpoch } from './failover-step.ts';

/** Everything is closed while a planned change waits for the closing mark: rather give up than make an outage of it. */
const closingMarkLimit = seconds(60);

/** One look at a replica that lacks the closing mark stays this long. */
const lookSeconds = 5;
const pollMilliseconds = 500;

/**
 * Holds the replica against the last that is known of the old primary. A failover may lose what the budget allows; a planned change nothing: it
 * waits until the replica shows the closing mark, the last write of all.
 *
 * A failover waits too, for what is left of the old lease where a receipt or a human cut that wait short. The replica inherits the lease row with
 * everything else that it received, and a renewal without the closing after it would open it as soon as it is promoted, before this epoch has given
 * it a lease.
 *
 * A replica of another primary than the one that leads (that was replaced, and its replica stayed with it) is of another history: nobody can tell what promoting
 * it would lose. People are asked, and a planned change refuses.
 */
export const measureLoss = defineStep({
  name: 'measure-loss',
  summary: 'Measures what would be lost by promoting the replica.',
  network: 'production',
  timeout: minutes(1),
  needs: ['coordination:read', 'fences:observe', 'fences:renew'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, metrics, clock } = context;
    const { plan } = record;
    const current = await coordination.read();
    const standing = standingOf(current, plan);
    if (standing === 'promoting') return found(record, 'committed', `epoch ${plan.epoch} is being promoted for this plan already`);
    if (current === undefined || standing !== 'claimed') return pastItsEpoch(record, standing);
    if (plan.replacement) {
      await markCopy(record, plan.replacement, context);
      return agreedLoss(record, plan.replacement, clock.now());
    }
    const { replicas, inheritedSeconds } = await untilNothingOpenIsInherited(record, current, context);
    const losses = replicas.map(({ loss }) => loss);
    for (const { databaseId, atMostSeconds } of losses) {
      const dimensions = { Database: databaseId };
      await metrics.put({
        capability: 'failover',
        name: metricNames.failover.lossSeconds,
        value: atMostSeconds,
        unit: 'Seconds',
        dimensions,
      });
    }
    const measured = { ...record, losses, fenceWaitSeconds: inheritedSeconds };
    const behind = replicas.filter(({ hasEverything }) => !hasEverything).map(({ loss }) => loss.databaseId);
    const astray = replicas.flatMap((replica) => (replica.astray === undefined ? [] : [`${plan.to}'s replica ${replica.astray}`]));
    if (plan.kind === 'switchover') {
      if (astray.length > 0) return found(measured, 'refused', astray.join('; '));
      if (behind.length === 0) return found(measured, 'within-budget', 'every replica has the closing mark: nothing is lost');
      const waited = secondsBetween(new Date(record.claimedAt ?? plan.requestedAt), clock.now());
      if (waited < closingMarkLimit) return found(measured, 'behind', `${behind.join(', ')} has not the closing mark yet`);
      return found(measured, 'refused', `${behind.join(', ')} has not the closing mark after ${formatSeconds(waited)}`);
    }
    if (behind.length > 0 && inheritedSeconds > 0) {
      return found(measured, 'behind', `${behind.join(', ')} may inherit a lease that runs for another ${formatSeconds(inheritedSeconds)}`);
    }
    const says = [...astray, ...losses.map(describeLoss)].join('; ');
    return found(measured, losses.every(isWithinBudget) ? 'within-budget' : 'over-budget', says);
  },
});

/**
 * The copy belongs to the plan's epoch before it gets the name: a lease of it that is over already. A guardian that was frozen while the epoch was being claimed
 * would close what bears the name by then as replaced, and it could never be opened; what has had a lease of the epoch is not closed for it.
 */
async function markCopy(
  { plan }: FailoverRecord,
  { databaseId, restoredId }: NonNullable<FailoverPlan['replacement']>,
  { fences, coordination }: Pick<Ports, 'fences' | 'coordination'>,
): Promise<void> {
  const current = await coordination.read();
  const copy = await fences.openCopy({ databaseId, region: plan.to, restoredId });
  try {
    await copy.renew({ epoch: plan.epoch, holder: plan.to, untilMicros: 0, primarySince: current?.primarySince });
  } finally {
    await copy.end();
  }
}

/**
 * No replica is promoted: the copy that takes the place of the damaged database has nothing of what came after the moment to which it was restored, and whoever
 * approved the plan agreed to that. The Region's other databases stay what they are.
 */
function agreedLoss(
  record: FailoverRecord,
  { databaseId: replaced, restoredTo }: NonNullable<FailoverPlan['replacement']>,
  now: Date,
): FailoverRecord {
  const since = Math.max(0, secondsBetween(new Date(restoredTo), now));
  const losses = record.plan.databases.map(({ databaseId }): LossEstimate => {
    const atMostSeconds = databaseId === replaced ? since : 0;
    return { databaseId, provenSeconds: 0, atMostSeconds, transactions: 0, lastKnownAgeSeconds: 0, budgetSeconds: atMostSeconds };
  });
  return found(
    { ...record, losses },
    'within-budget',
    `${replaced} loses what came after ${restoredTo}, as agreed (${formatSeconds(since)}); nothing else is lost`,
  );
}

/**
 * Looks until every replica has the closing mark or the old lease is over, for one look at most. @returns also how much of the lease is left, by
 * one clock
 */
async function untilNothingOpenIsInherited(
  record: FailoverRecord,
  current: CoordinationRecord,
  context: Pick<Ports, 'fences'> & TaskContext,
) {
  const { clock, operations } = context;
  const { length, margin } = operations.failover.lease;
  const { plan, fenceWaitSeconds = length + margin } = record;
  const startedAt = clock.now();
  for (;;) {
    const replicas = await Promise.all(plan.databases.map((database) => lookAtReplica(database, record, current, context)));
    const waited = secondsBetween(startedAt, clock.now());
    const inheritedSeconds = Math.ceil(Math.max(0, fenceWaitSeconds - waited) * 1000) / 1000;
    const isSettled = inheritedSeconds === 0 || replicas.every(({ hasEverything }) => hasEverything);
    if (isSettled || plan.kind === 'switchover' || waited >= lookSeconds) return { replicas, inheritedSeconds };
    await clock.sleep(pollMilliseconds);
  }
}

async function lookAtReplica(
  database: FailoverRecord['plan']['databases'][number],
  { plan, lastKnown }: FailoverRecord,
  current: CoordinationRecord,
  { fences }: Pick<Ports, 'fences'> & TaskContext,
): Promise<{ readonly loss: LossEstimate; readonly hasEverything: boolean; readonly astray?: string }> {
  const { databaseId } = database;
  const fence = await fences.open(databaseId, plan.to);
  try {
    const position = await fence.position();
    const state = await fence.state();
    const { closedFor } = state;
    const hasEverything = closedFor !== undefined && closedFor >= plan.epoch;
    // Of another history than the primary that is lost: no position of the two can be compared.
    const astray = hasEverything ? undefined : whyAstray(state, current);
    if (astray !== undefined)
      return { loss: estimateLoss(database, position, undefined), hasEverything, astray: `of ${databaseId} ${astray}` };
    const known = lastKnown.find((each) => each.databaseId === databaseId);
    // With the closing mark everything has come, whatever else the two positions say.
    const replica = hasEverything && known ? known.position : position;
    return { loss: estimateLoss(database, replica, known), hasEverything };
  } finally {
    await fence.end();
  }
}

/** `hms: at most 23 s and 12 transactions are lost, 3 s of it for certain; the budget is 5 min`. */
function describeLoss({
  databaseId,
  lastKnownAgeSeconds,
  atMostSeconds,
  provenSeconds,
  transactions,
  budgetSeconds,
}: LossEstimate): string {
  const budget = `the budget is ${formatSeconds(budgetSeconds)}`;
  if (lastKnownAgeSeconds === undefined) return `${databaseId}: nobody can tell what is lost; ${budget}`;
  const certain = `${formatSeconds(provenSeconds)} of it for certain`;
  return `${databaseId}: at most ${formatSeconds(atMostSeconds)} and ${transactions} known transactions are lost, ${certain}; ${budget}`;
}
