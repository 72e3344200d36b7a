import { minutes, seconds, secondsBetween } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRecord } from '../../models.ts';
import { swapOneStep } from '../swap.ts';
import { found, freshStanding, pastItsEpoch } from './failover-step.ts';

/**
 * RDS takes minutes, more with a long replay. After this long a human must look. Looks every 2 s for so long are a third of the events that Step
 * Functions keeps.
 */
const promotionLimit = minutes(30);

/** One look at the promoted databases; the machine comes back until each is an available primary, or one failed. */
export const awaitPromotion = defineStep({
  name: 'await-promotion',
  summary: 'Looks whether the new primary is up.',
  timeout: seconds(30),
  needs: ['coordination:read', 'replicas:describe', 'replicas:swap'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, replicas, clock } = context;
    const { plan, phases } = record;
    const standing = await freshStanding(coordination, record);
    if (standing !== 'promoting' && standing !== 'leads') return pastItsEpoch(record, standing);
    const since = phases.findLast(({ name }) => name === 'promote')?.startedAt ?? plan.requestedAt;
    const waited = secondsBetween(new Date(since), clock.now());
    if (plan.replacement) {
      const swapped = await swapOneStep(record, plan.replacement, context);
      return swapped.status === 'promoting' ? { ...swapped, status: waited > promotionLimit ? 'stuck' : 'waiting' } : swapped;
    }
    const states = await Promise.all(plan.databases.map(({ databaseId }) => replicas.describe(databaseId, plan.to)));
    const says = states.map((state) => `${state.databaseId}: ${state.role}, ${state.says}`).join('; ');
    if (states.some(({ status, role }) => status === 'failed' || role === 'absent')) return found(record, 'stuck', says);
    if (states.every(({ role, status }) => role === 'primary' && status === 'available')) return found(record, 'promoted', says);
    return found(record, waited > promotionLimit ? 'stuck' : 'waiting', says);
  },
});
