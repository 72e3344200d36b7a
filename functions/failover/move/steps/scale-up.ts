import { minutes } from '../../../common/duration.ts';
import { messageOf } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRecord } from '../../models.ts';
import { capacityOf } from '../capacity-of.ts';
import { act, freshStanding, pastItsEpoch, withShortfall } from './failover-step.ts';

/**
 * Asks for full strength in the new Region while the database is being promoted. A service that cannot be scaled is reported and holds nothing up: half
 * strength with a database is better than neither.
 */
export const scaleUp = defineStep({
  name: 'scale-up',
  summary: 'Asks for full strength in the new Region.',
  timeout: minutes(1),
  needs: ['coordination:read', 'capacity:scale'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, capacity, operations, clock } = context;
    const { plan } = record;
    const standing = await freshStanding(coordination, record);
    if (standing !== 'promoting' && standing !== 'leads') return pastItsEpoch(record, standing);
    let scaled = record;
    for (const { target, active } of capacityOf(operations, plan.to)) {
      const resource = `capacity/${target.name}/${target.region}`;
      try {
        await act(context, record, { action: 'scale', resource, details: { atLeast: active } }, () =>
          capacity.scale(target, active, 'at-least'),
        );
      } catch (error) {
        scaled = withShortfall(scaled, `${target.name} could not be scaled to ${active}: ${messageOf(error)}`);
      }
    }
    return { ...scaled, says: `full strength is asked for in ${plan.to} at ${clock.now().toISOString()}` };
  },
});
