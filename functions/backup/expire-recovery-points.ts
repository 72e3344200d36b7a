import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { minutes } from '../common/duration.ts';
import type { Database } from '../common/operations.ts';
import type { PortsFor } from '../common/ports.ts';
import { daily } from '../common/schedule.ts';
import { defineTask, type TaskContext } from '../common/task.ts';
import { type Expiry, locationsToExpire } from './retention.ts';

const expireNeeds = ['recovery-points:read', 'recovery-points:write', 'databases:remove-snapshot'] as const;
type Context = PortsFor<(typeof expireNeeds)[number]> & TaskContext;

/** Removes what is past its retention (row B3), oldest first: safe to stop anywhere, and to run twice. */
export const expireRecoveryPoints = defineTask({
  name: 'expire-recovery-points',
  summary: 'Removes recovery points past their retention; never the newest verified one.',
  schedule: daily('03:00'),
  runsIn: 'active',
  timeout: minutes(15),
  needs: expireNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const expired: string[] = [];
    for (const database of context.operations.databases) {
      // Decided anew before each removal: a verdict that came meanwhile can change which point must be kept.
      for (let next = await oldest(database, context); next; next = await oldest(database, context)) {
        await expire(next, context);
        expired.push(`${next.location.region}/${next.location.snapshotId}`);
      }
    }
    return { expired };
  },
});

async function oldest(database: Database, { recoveryPoints, clock }: Context): Promise<Expiry | undefined> {
  return locationsToExpire(await recoveryPoints.list(database.id), database.retention, clock.now())[0];
}

/**
 * The line first, on the condition that it is the one the decision was made on, then the snapshot: the inventory never offers what
 * is gone. A run that dies in between leaves a snapshot that no line keeps, and the sweeper takes it.
 *
 * @throws Conflict when the line changed since; what `removeSnapshot` throws
 */
async function expire({ point, location }: Expiry, context: Context): Promise<void> {
  const { recoveryPoints, databases } = context;
  const { region, snapshotId } = location;
  const act = {
    actor: 'task/expire-recovery-points',
    action: 'remove-snapshot',
    resource: `${region}/${snapshotId}`,
    details: { requestedAt: point.requestedAt, reason: 'past its retention' },
  };
  await audited(context, act, async () => {
    const locations = point.locations.map((each) => (each === location ? ({ ...each, status: 'removed' } as const) : each));
    await recoveryPoints.update({ ...point, locations });
    await databases.removeSnapshot({ region, snapshotId });
  });
}
