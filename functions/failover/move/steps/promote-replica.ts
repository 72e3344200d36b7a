import { minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRecord } from '../../models.ts';
import { swapOneStep } from '../swap.ts';
import { act, found, freshStanding, pastItsEpoch } from './failover-step.ts';

/**
 * Asks the database service to promote. Each promotion comes after a read of this moment that shows the record beyond the point of no return in this
 * plan's epoch: a step that slept cannot promote what was rolled back. What is a primary already is left alone.
 */
export const promoteReplica = defineStep({
  name: 'promote-replica',
  summary: 'Promotes the replica of the new Region.',
  timeout: minutes(1),
  needs: ['coordination:read', 'replicas:describe', 'replicas:promote', 'replicas:swap'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, replicas } = context;
    const { plan } = record;
    if (plan.replacement) {
      const swapped = await swapOneStep(record, plan.replacement, context);
      // Over within one look, or before a crash: the next state finds out that it is up.
      return swapped.status === 'promoted' ? found(swapped, 'promoting', swapped.says) : swapped;
    }
    for (const { databaseId } of plan.databases) {
      const { role, status } = await replicas.describe(databaseId, plan.to);
      const standing = await freshStanding(coordination, record);
      if (standing === 'leads') break;
      if (standing !== 'promoting') return pastItsEpoch(record, standing);
      if (role === 'primary' || status === 'promoting') continue;
      await act(context, record, { action: 'promote', resource: `database/${databaseId}/${plan.to}` }, () =>
        replicas.promote({ databaseId, region: plan.to, kind: plan.kind === 'switchover' ? 'switchover' : 'failover' }),
      );
    }
    return found(record, 'promoting', `promotion in ${plan.to} is under way`);
  },
});
