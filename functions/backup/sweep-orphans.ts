import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { hours, minutes } from '../common/duration.ts';
import { messageOf } from '../common/errors.ts';
import type { PortsFor } from '../common/ports.ts';
import { every } from '../common/schedule.ts';
import { defineTask, type TaskContext } from '../common/task.ts';
import { metricNames } from '../maintenance/metric-names.ts';
import { type Orphan, orphanRestores, orphanSnapshots } from './orphans.ts';

const sweepNeeds = [
  'databases:describe',
  'databases:remove-snapshot',
  'databases:remove-restored',
  'recovery-points:read',
  'state-backups:sweep',
] as const;
type Context = PortsFor<(typeof sweepNeeds)[number]> & TaskContext;

/** Its machine ends within this, whatever the size of the table; one that is older was left by a machine that died. */
const restoredTableLimit = hours(12);

/**
 * Removes what an interrupted run left behind in its own Region: snapshots that the inventory does not know, restored
 * databases and tables past their expiry. It touches only what carries this deployment's tag, and reports what it found.
 */
export const sweepOrphans = defineTask({
  name: 'sweep-orphans',
  summary: 'Removes snapshots, restored databases and restored tables that nothing owns any more.',
  schedule: every(hours(1)),
  runsIn: 'every',
  catchUp: false,
  timeout: minutes(10),
  needs: sweepNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const { metrics, region, log } = context;
    const orphans = await findOrphans(context);
    const kept: string[] = [];
    for (const orphan of orphans) {
      const act = {
        actor: 'task/sweep-orphans',
        action: `remove-${orphan.what}`,
        resource: `${orphan.region}/${orphan.id}`,
        details: { because: orphan.because },
      };
      try {
        await audited(context, act, () => remove(orphan, context));
      } catch (error) {
        // One that cannot go now must not keep the others: the next sweep tries again, and the alarm has the count.
        log.error('an orphan could not be removed', { ...orphan, error: messageOf(error) });
        kept.push(orphan.id);
      }
    }
    await metrics.put({
      capability: 'backup',
      name: metricNames.backup.orphansFound,
      value: orphans.length,
      unit: 'Count',
      dimensions: { Region: region },
    });
    return { found: orphans.map((orphan) => orphan.id), kept };
  },
});

/** Everything in this Region that nothing owns. */
async function findOrphans(context: Context): Promise<readonly Orphan[]> {
  const { operations, databases, recoveryPoints, stateBackups, clock, region } = context;
  const now = clock.now();
  const snapshots = await databases.listSnapshots(region);
  // Those of a database that has left the config too: its lines still keep its backups, until people decide otherwise.
  const databaseIds = new Set([...operations.databases, ...snapshots.map(({ databaseId: id }) => ({ id }))].map(({ id }) => id));
  const points = (await Promise.all([...databaseIds].map((id) => recoveryPoints.list(id)))).flat();
  const tables = await stateBackups.listRestored();
  return [
    ...orphanSnapshots(snapshots, points, now),
    ...orphanRestores(await databases.listRestored(region), now),
    ...tables
      .filter((table) => now.getTime() - table.createdAt.getTime() > restoredTableLimit * 1000)
      .map(
        (table): Orphan => ({ what: 'restored-table', region, id: table.into, because: `it is older than ${restoredTableLimit / 3600} h` }),
      ),
  ];
}

function remove(orphan: Orphan, { databases, stateBackups }: Context): Promise<void> {
  switch (orphan.what) {
    case 'snapshot':
      return databases.removeSnapshot({ region: orphan.region, snapshotId: orphan.id });
    case 'restored-database':
      return databases.removeRestored({ region: orphan.region, restoredId: orphan.id });
    case 'restored-table':
      return stateBackups.removeRestored(orphan.id);
  }
}
