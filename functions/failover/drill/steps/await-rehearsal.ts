import { type Duration, formatSeconds, minutes, seconds, secondsBetween } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { RehearsalRecord } from '../models.ts';
import { copiesOf } from '../rehearsed-copies.ts';
import { found, stopped, whyStop } from './rehearsal-step.ts';

/** RDS promotes and reboots "in a few minutes" (User Guide, "Promoting a read replica"); three times the ten that it takes at worst here is a failure. */
const promotionLimit = minutes(30);

/** One look at the temporary replicas, and at the live system beside them: when that degrades, the rehearsal ends by itself. */
export const awaitRehearsal = defineStep({
  name: 'await-rehearsal',
  summary: 'Looks whether the temporary replicas are up, and whether the live system is still well.',
  network: 'production',
  timeout: minutes(2),
  // A clone of Aurora gets its instance, and a promoted replica its secret, when somebody looks: as restored databases do.
  needs: ['coordination:read', 'fences:observe', 'databases:describe', 'databases:restore'],
  input: RehearsalRecord,
  async run(record, context) {
    const { databases, operations, clock } = context;
    const because = await whyStop(context, record);
    if (because !== undefined) return stopped(record, because);
    const { region } = record.request;
    const pending: string[] = [];
    for (const { restoredId } of copiesOf(operations, record.request)) {
      const copy = await databases.describeRestored({ region, restoredId });
      if (!copy || copy.status === 'failed' || copy.status === 'deleting') {
        return stopped(record, `${restoredId} is ${copy?.status ?? 'not there'}${copy?.reason ? `: ${copy.reason}` : ''}`);
      }
      if (copy.status !== 'available') pending.push(`${restoredId} is ${copy.status}`);
    }
    const phase = record.phases.at(-1);
    const waited = phase ? secondsBetween(new Date(phase.startedAt), clock.now()) : 0;
    // Half of what a temporary database may live: the rest is for promoting, writing and removing it.
    const limit: Duration = phase?.name === 'make' ? seconds(Math.floor(operations.verification.restoreLimit / 2)) : promotionLimit;
    if (waited > limit) return stopped(record, `${pending.join('; ') || record.says} after ${formatSeconds(waited)}`);
    return pending.length > 0 ? found(record, 'creating', pending.join('; ')) : found(record, 'up', `every copy in ${region} is up`);
  },
});
