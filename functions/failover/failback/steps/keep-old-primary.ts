import { emergencySnapshot } from '../../../backup/emergency-snapshot.ts';
import { hours, minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailbackRecord } from '../models.ts';
import { act, found, notYet } from './failback-step.ts';

/** A first snapshot of some terabytes. */
const limit = hours(12);

/**
 * Takes an emergency backup of each old primary before anything is built over it, and waits until it is stored. It has a line in the inventory like
 * every backup, so it is kept and expires as emergency backups do; without a manifest, because nobody may write a canary there any more.
 */
export const keepOldPrimary = defineStep({
  name: 'keep-old-primary',
  summary: 'Takes an emergency backup of what the old primary holds, before it is rebuilt.',
  timeout: minutes(2),
  needs: ['databases:snapshot', 'databases:describe', 'recovery-points:read', 'recovery-points:write', 'replicas:describe'],
  input: FailbackRecord,
  async run(record, context) {
    const { operations, replicas, clock } = context;
    const { oldRegion, requestedAt } = record.request;
    let kept = record;
    const pending: string[] = [];
    for (const { id } of operations.databases) {
      if ((await replicas.describe(id, oldRegion)).role !== 'primary') continue;
      const wanted = { databaseId: id, region: oldRegion, requestedAt: new Date(requestedAt) };
      const { id: recoveryPointId, status } = await emergencySnapshot(context, wanted, (snapshotId, take) =>
        act(context, record, { action: 'create-snapshot', resource: `${oldRegion}/${snapshotId}`, details: { kind: 'emergency' } }, take),
      );
      if (status === 'failed')
        return found(kept, 'stopped', `the backup of the old primary of ${id} failed: nothing was rebuilt`, clock.now());
      if (status !== 'available') pending.push(id);
      if (!kept.kept.some(({ databaseId }) => databaseId === id)) {
        kept = { ...kept, kept: [...kept.kept, { databaseId: id, recoveryPointId }] };
      }
    }
    if (pending.length > 0)
      return notYet(kept, 'keeping', `the backup of ${pending.join(', ')} is being stored`, { now: clock.now(), limit });
    return found(kept, 'kept', `${kept.kept.length} old primaries are backed up`, clock.now());
  },
});
