import { seconds } from '../../common/duration.ts';
import type { Ports } from '../../common/ports.ts';
import { defineStep, type TaskContext } from '../../common/task.ts';
import { FailoverRecord } from '../models.ts';
import { enterPhase, outageStart } from '../phases.ts';
import { standingOf } from '../standing.ts';
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
    const begun = enterPhase(timed, 'decide', clock.now());
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
        return found(enterPhase(begun, 'confirm', clock.now()), 'open', `taking over: ${plan.to} leads in epoch ${plan.epoch}`);
      case 'rolled-back':
        return found(begun, 'rolled-back', `the plan for epoch ${plan.epoch} was given up: ${plan.from} leads`);
      case 'elsewhere':
        return pastItsEpoch(begun, standing);
      case 'before':
        return wanted(begun, context);
    }
  },
});

async function wanted(record: FailoverRecord, context: Pick<Ports, 'coordination' | 'replicas'> & TaskContext): Promise<FailoverRecord> {
  const { plan } = record;
  const hold = await context.coordination.hold();
  if (hold && plan.requestedBy === 'codeblue' && Date.parse(hold.until) > context.clock.now().getTime()) {
    return found(record, 'not-called-for', `${hold.by} holds everything until ${hold.until}: ${hold.reason}`);
  }
  const replicas = await Promise.all(plan.databases.map(({ databaseId }) => context.replicas.describe(databaseId, plan.to)));
  const unfit = replicas.filter(({ role, status }) => role !== 'replica' || status !== 'available');
  if (unfit.length > 0) {
    const which = unfit.map(({ databaseId, role, says }) => `${databaseId} is ${role} (${says})`).join(', ');
    return found(record, 'refused', `${plan.to} has no replica that could be promoted: ${which}`);
  }
  return plan.needsApproval ? found(record, 'ask', 'a human must agree') : found(record, 'go', plan.reason);
}
