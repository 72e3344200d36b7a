import { after, hours, minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { heldBy } from '../../leadership/stop-sign.ts';
import { RecoveryRecord } from '../models.ts';
import { holdInTheWay } from '../request-recovery.ts';
import { act, found, whyNotLeading, wrong } from './recovery-step.ts';

/** Besides the restore: longer than everything before the plan takes, and short enough that a hold which an execution left when it died ends by itself. */
const everythingElse = hours(20);

/** Nothing may move while the last clean state is looked for: replicas have the damage too, and a failover would begin another history. */
export const holdForRecovery = defineStep({
  name: 'hold-for-recovery',
  summary: 'Holds automatic moves while a damaged database is being restored.',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:hold'],
  input: RecoveryRecord,
  async run(record, context) {
    const { coordination, operations, clock } = context;
    const { recoveryId, databaseId, under } = record.request;
    const because = await whyNotLeading(context, record);
    if (because !== undefined) return wrong(record, 'as-it-was', because);
    const now = clock.now();
    const hold = await coordination.hold();
    const stopped = holdInTheWay(hold, [recoveryId, under], now);
    if (stopped !== undefined) return wrong(record, 'as-it-was', stopped);
    if (hold !== undefined && heldBy(hold, now) !== undefined)
      return found(record, 'held', `${hold.by} holds everything until ${hold.until}`);
    const until = timestamp(after(after(now, operations.verification.restoreLimit), everythingElse));
    await act(context, record, { action: 'hold-failover', resource: 'hold', details: { until } }, () =>
      coordination.putHold({ until, by: recoveryId, reason: `${databaseId} is being recovered`, at: timestamp(now) }),
    );
    return found(record, 'held', `nothing moves by itself before ${until}`);
  },
});
