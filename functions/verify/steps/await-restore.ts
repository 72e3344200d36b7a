import { secondsBetween } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import { defineStep } from '../../common/task.ts';
import { RestoreFailed, RestoreTimedOut } from '../errors.ts';
import { VerificationRecord } from '../models.ts';
import { passed } from '../verification.ts';

/** One look at the restored database; the machine comes back until it is up. */
export const awaitRestore = defineStep({
  name: 'await-restore',
  summary: 'Looks whether the restored database is up.',
  // An Aurora cluster takes its instance and its secret only once it is available: this look makes them then.
  needs: ['databases:describe', 'databases:restore'],
  input: VerificationRecord,
  async run(record, { databases, clock, operations }) {
    const { region, verificationId: restoredId } = record;
    const requestedAt = new Date(record.restoreRequestedAt ?? record.startedAt);
    const waited = secondsBetween(requestedAt, clock.now());
    const restored = await databases.describeRestored({ region, restoredId });
    if (!restored) throw new RestoreFailed(`the restored database ${restoredId} is not there`);
    if (restored.status === 'failed' || restored.status === 'deleting') {
      throw new RestoreFailed(`the restored database ${restoredId} is ${restored.status}${restored.reason ? `: ${restored.reason}` : ''}`);
    }
    if (restored.status === 'creating') {
      if (waited > operations.verification.restoreLimit) throw new RestoreTimedOut(`no restored database after ${Math.round(waited)} s`);
      return { ...record, restoreStatus: 'creating' as const };
    }
    return {
      ...record,
      restoreStatus: 'available' as const,
      restoredAt: timestamp(clock.now()),
      measured: { ...record.measured, restoreSeconds: waited },
      checks: [...record.checks, passed('restore')],
    };
  },
});
