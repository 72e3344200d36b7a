import { after, days, minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import type { Hold } from '../../models.ts';
import { BreachRecord } from '../models.ts';
import { act, found } from './breach-step.ts';

/** As long as a person may hold at once. Opening the network again ends it sooner; by then somebody renews it. */
const holdFor = days(7);

/**
 * Nothing may move by itself, and no guardian may open the network again: the containment first, because a guardian looks at that. A hold that somebody put
 * before ends when this one does: it was put for the same reason, or its owner sees in the audit log what became of it.
 *
 * It runs a second time after a recovery, which has to take the hold away. Whoever opened the network meanwhile is not held again.
 */
export const holdForBreach = defineStep({
  name: 'hold-for-breach',
  summary: 'Puts the hold of a breach: nothing moves by itself, and no guardian opens the network again.',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:contain'],
  input: BreachRecord,
  async run(record, context) {
    const { coordination, clock } = context;
    const { breachId, requestedBy, declaredAt } = record.request;
    const again = record.heldAt !== undefined;
    const standing = await coordination.containment();
    if (again && standing?.breachId !== breachId)
      return { ...found(record, 'released', 'the network was opened again'), releasedBy: 'a person' };
    const now = clock.now();
    const before = await coordination.hold();
    const hold: Hold = {
      until: timestamp(after(now, holdFor)),
      by: breachId,
      reason: `a breach is being contained for ${requestedBy}`.slice(0, 500),
      at: timestamp(now),
    };
    const details = { until: hold.until, ...(before && before.by !== breachId ? { inPlaceOf: before.by } : {}) };
    await act(context, record, { action: 'contain-breach', resource: 'hold', details }, async () => {
      if (standing?.breachId !== breachId) await coordination.putContainment({ breachId, by: requestedBy, since: declaredAt });
      await coordination.putHold(hold);
    });
    return found({ ...record, heldAt: hold.at }, 'held', `nothing moves by itself before ${hold.until}`);
  },
});
