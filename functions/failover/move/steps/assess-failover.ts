import { seconds } from '../../../common/duration.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { automaticRequester } from '../../leadership/plan.ts';
import { standingOf } from '../../leadership/standing.ts';
import { stopSign } from '../../leadership/stop-sign.ts';
import { type CoordinationRecord, FailoverRecord } from '../../models.ts';
import { decide } from '../../observe/decide.ts';
import { enterPhase, outageStart } from '../../report/phases.ts';
import { found, pastItsEpoch } from './failover-step.ts';

/**
 * Whether the plan still fits, and how far it came: an execution that died is taken over from where the record says it was. Changes nothing.
 */
export const assessFailover = defineStep({
  name: 'assess-failover',
  summary: 'Looks whether the plan still fits, and how far it came.',
  timeout: seconds(30),
  needs: ['coordination:read', 'replicas:describe'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, clock } = context;
    const { plan } = record;
    const current = await coordination.read();
    const standing = standingOf(current, plan);
    const timed = { ...record, phases: [{ name: 'notice', startedAt: outageStart(plan), endedAt: plan.requestedAt }] };
    const begun = takenOver(enterPhase(timed, 'decide', clock.now()), current);
    if (current === undefined) return pastItsEpoch(begun, 'elsewhere');
    switch (standing) {
      case 'claimed':
        return found(begun, 'go', `taking over: epoch ${plan.epoch} is claimed for this plan`);
      case 'promoting':
        return found(
          enterPhase(begun, 'promote', clock.now()),
          'committed',
          `taking over: epoch ${plan.epoch} is beyond the point of no return`,
        );
      case 'leads':
        return found(enterPhase(begun, 'open', clock.now()), 'promoted', `taking over: ${plan.to} leads in epoch ${plan.epoch}`);
      case 'rolled-back':
        return found(begun, 'rolled-back', `the plan for epoch ${plan.epoch} was given up: ${plan.from} leads`);
      case 'elsewhere':
        return pastItsEpoch(begun, standing);
      case 'before':
        return wanted(begun, current, context);
    }
  },
});

/** With what was known when this plan passed the point of no return, where it did. */
function takenOver(record: FailoverRecord, current: CoordinationRecord | undefined): FailoverRecord {
  const { committed } = current ?? {};
  if (committed?.plan.epoch !== record.plan.epoch) return record;
  const { fenced, losses } = committed;
  return { ...record, fenced, losses };
}

/** The observers' own plan must be what they would still decide, by reads of this moment; a person's is taken as it is. */
async function wanted(
  record: FailoverRecord,
  current: CoordinationRecord,
  context: Pick<Ports, 'coordination' | 'replicas'> & TaskContext,
): Promise<FailoverRecord> {
  const { plan } = record;
  const { coordination, replicas, operations, clock, region } = context;
  if (plan.to !== region) return found(record, 'refused', `the plan is for ${plan.to}, and this machine can only make ${region} lead`);
  if (plan.requestedBy === automaticRequester) {
    const [votes, hold] = await Promise.all([coordination.votes(), coordination.hold()]);
    const { action, says } = decide({ operations, record: current, votes, hold, now: clock.now() });
    if (action !== 'move') return found(record, 'not-called-for', says);
  } else {
    const stopped = await stopSign(context);
    if (stopped !== undefined) return found(record, 'refused', stopped);
  }
  if (plan.replacement) {
    const { databaseId, restoredId } = plan.replacement;
    // A prepared copy is only looked at; this function may not prepare one.
    const { status, says } = await replicas.prepareSwap({ databaseId, region: plan.to, restoredId });
    if (status !== 'available') return found(record, 'refused', `${restoredId} is not ready to take the place of ${databaseId}: ${says}`);
    return found(record, 'ask', plan.reason);
  }
  const states = await Promise.all(plan.databases.map(({ databaseId }) => replicas.describe(databaseId, plan.to)));
  const unfit = states.filter(({ role, status }) => role !== 'replica' || status !== 'available');
  if (unfit.length > 0) {
    const which = unfit.map(({ databaseId, role, says }) => `${databaseId} is ${role} (${says})`).join(', ');
    return found(record, 'refused', `${plan.to} has no replica that could be promoted: ${which}`);
  }
  return plan.needsApproval ? found(record, 'ask', plan.reason) : found(record, 'go', plan.reason);
}
