import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { isVerified, type RecoveryPoint } from '../backup/models.ts';
import { type Region, timestamp } from '../common/ids.ts';
import { defineTask } from '../common/task.ts';
import { newVerification } from './verification.ts';

/**
 * Starts the verification of the newest copy in each other Region, there (row V5). The functions of that Region's machine are
 * denied the home Region's keys and endpoints by their roles, so a pass proves that the copy stands alone.
 */
export const verifySecondRegion = defineTask({
  name: 'verify-second-region',
  summary: 'Restores the newest copy in each other Region with the home Region denied, and verifies it.',
  schedule: (operations) => [{ key: '', schedule: operations.verification.secondRegion, input: {} }],
  runsIn: 'active',
  needs: ['recovery-points:read', 'executions:start'],
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, recoveryPoints, executions, clock, scheduledAt } = context;
    const started = [];
    for (const database of operations.databases) {
      const points = await recoveryPoints.list(database.id);
      for (const region of database.copyTo) {
        const copy = newestCopy(points, region);
        if (!copy) continue;
        const record = newVerification({
          databaseId: database.id,
          region,
          purpose: 'second-region',
          target: { kind: 'recovery-point', recoveryPointId: copy.point.id, snapshotId: copy.snapshotId },
          now: clock.now(),
          attempt: timestamp(scheduledAt),
        });
        const act = {
          actor: 'task/verify-second-region',
          action: 'start-verification',
          resource: record.verificationId,
          details: { region },
        };
        await audited(context, act, () =>
          executions.start({ region, machine: 'verify-recovery-point', name: record.verificationId, input: record }),
        );
        started.push({ verificationId: record.verificationId, region });
      }
    }
    return { started };
  },
});

/** The newest available copy there; one whose home was verified is preferred, because its content root is known. */
function newestCopy(
  points: readonly RecoveryPoint[],
  region: Region,
): { readonly point: RecoveryPoint; readonly snapshotId: string } | undefined {
  const candidates = [...points]
    .sort((a, b) => Number(isVerified(b)) - Number(isVerified(a)) || b.requestedAt.localeCompare(a.requestedAt))
    .flatMap((point) =>
      point.locations
        .filter((location) => location.region === region && location.status === 'available')
        .map((location) => ({ point, snapshotId: location.snapshotId })),
    );
  return candidates[0];
}
