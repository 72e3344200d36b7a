import { audited } from '../../audit/audited.ts';
import { after } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import { defineStep } from '../../common/task.ts';
import { VerificationRecord } from '../models.ts';

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
    const request = {
      restoredId,
      region: record.region,
      databaseId: record.databaseId,
      expiresAt: after(requestedAt, operations.verification.restoreLimit),
    };
    const { target } = record;
    await audited(
      context,
      { actor: 'machine/verify-recovery-point', action: 'restore', resource: restoredId, details: { from: target.kind } },
      () =>
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
