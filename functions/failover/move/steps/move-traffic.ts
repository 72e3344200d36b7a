import { seconds } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRecord } from '../../models.ts';
import { act, found, freshStanding, pastItsEpoch } from './failover-step.ts';

/**
 * The health endpoints follow the lease by themselves, and Route 53 follows them: nothing is edited. Routing controls are turned where the config has them.
 */
export const moveTraffic = defineStep({
  name: 'move-traffic',
  summary: 'Turns the routing controls to the new Region, where there are any.',
  timeout: seconds(30),
  needs: ['coordination:read', 'routing-controls:switch'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, routingControls, operations } = context;
    const { to } = record.plan;
    const standing = await freshStanding(coordination, record);
    if (standing !== 'leads') return pastItsEpoch(record, standing);
    if (!operations.failover.routing.arc)
      return found(record, 'moved', `the health endpoint of ${to} says that it leads: Route 53 follows`);
    await act(context, record, { action: 'move-traffic', resource: `region/${to}` }, () => routingControls.switchTo(to));
    return found(record, 'moved', `the routing controls point to ${to}`);
  },
});
