import { minutes, secondsBetween } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import { defineStep } from '../../common/task.ts';
import { TeardownTimedOut } from '../errors.ts';
import { VerificationRecord } from '../models.ts';

/** RDS deletes an instance in 2 to 10 minutes; three times that is a failure to look at. */
const teardownLimit = minutes(30);

/** One look whether it is gone: the receipt of the teardown. */
export const awaitTeardown = defineStep({
  name: 'await-teardown',
  summary: 'Looks whether the restored database is gone.',
  needs: ['databases:describe'],
  input: VerificationRecord,
  async run(record, { databases, clock }) {
    const requestedAt = record.teardown?.requestedAt ?? record.startedAt;
    const still = await databases.describeRestored({ region: record.region, restoredId: record.verificationId });
    if (!still) return { ...record, teardown: { status: 'removed' as const, requestedAt, removedAt: timestamp(clock.now()) } };
    const waited = secondsBetween(new Date(requestedAt), clock.now());
    if (waited > teardownLimit) {
      throw new TeardownTimedOut(
        `${record.verificationId} is still ${still.status} ${Math.round(waited)} s after its removal was asked for`,
      );
    }
    return { ...record, teardown: { status: 'removing' as const, requestedAt } };
  },
});
