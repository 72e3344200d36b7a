import { audited } from '../../audit/audited.ts';
import { after, hours, seconds } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import { defineStep } from '../../common/task.ts';
import { VerificationRecord } from '../models.ts';
import { machineOf } from '../verification.ts';

/** A copy that is to take the live database's place is inspected and made fit after it is up, with retries; only then does its expiry go. */
const untilItIsFit = hours(12);

/** Starts the restore. The restored database is named after the verification, so a repeated step finds the first one. */
export const startRestore = defineStep({
  name: 'start-restore',
  summary: 'Restores the backup into isolation, with credentials of its own and an expiry.',
  needs: ['databases:restore'],
  input: VerificationRecord,
  async run(record, context) {
    const { databases, clock, operations } = context;
    const requestedAt = clock.now();
    const restoredId = record.verificationId;
    const { restoreLimit } = operations.verification;
    const request = {
      restoredId,
      region: record.region,
      databaseId: record.databaseId,
      expiresAt: after(requestedAt, record.purpose === 'recovery' ? seconds(restoreLimit + untilItIsFit) : restoreLimit),
    };
    const { target } = record;
    await audited(context, { actor: machineOf(record), action: 'restore', resource: restoredId, details: { from: target.kind } }, () =>
      target.kind === 'recovery-point'
        ? databases.restore({ region: record.region, snapshotId: target.snapshotId }, request)
        : databases.restoreToTime(new Date(target.time), request),
    );
    return {
      ...record,
      restoredId,
      restoreRequestedAt: record.restoreRequestedAt ?? timestamp(requestedAt),
      restoreStatus: 'creating' as const,
    };
  },
});
