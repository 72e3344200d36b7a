import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { minutes } from '../common/duration.ts';
import { daily } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { locationsToExpire } from './retention.ts';

/** Removes what is past its retention (row B3), oldest first: safe to stop anywhere, and to run twice. */
export const expireRecoveryPoints = defineTask({
  name: 'expire-recovery-points',
  summary: 'Removes recovery points past their retention; never the newest verified one.',
  schedule: daily('03:00'),
  runsIn: 'active',
  timeout: minutes(15),
  needs: ['recovery-points:read', 'recovery-points:write', 'databases:remove-snapshot'],
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, recoveryPoints, databases, clock } = context;
    const expired: string[] = [];
    for (const database of operations.databases) {
      for (const { point, location } of locationsToExpire(await recoveryPoints.list(database.id), database.retention, clock.now())) {
        const ref = { region: location.region, snapshotId: location.snapshotId };
        await audited(
          context,
          {
            actor: 'task/expire-recovery-points',
            action: 'remove-snapshot',
            resource: ref.snapshotId,
            details: { region: ref.region, requestedAt: point.requestedAt, reason: 'past its retention' },
          },
          () => databases.removeSnapshot(ref),
        );
        // Read again: another location of the same point may have been removed a moment ago.
        const current = (await recoveryPoints.get(point.id)) ?? point;
        await recoveryPoints.update({
          ...current,
          locations: current.locations.map((each) =>
            each.region === ref.region && each.snapshotId === ref.snapshotId ? { ...each, status: 'removed' } : each,
          ),
        });
        expired.push(`${ref.region}/${ref.snapshotId}`);
      }
    }
    return { expired };
  },
});
