import { recoveryPointId } from '../../../backup/models.ts';
import { hours, minutes } from '../../../common/duration.ts';
import type { DatabaseId } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { FailbackRecord } from '../models.ts';
import { act, found, notYet } from './failback-step.ts';

/** A first snapshot of some terabytes. */
const limit = hours(12);

const keepNeeds = [
  'databases:snapshot',
  'databases:describe',
  'recovery-points:read',
  'recovery-points:write',
  'replicas:describe',
] as const;
type Context = PortsFor<(typeof keepNeeds)[number]> & TaskContext;

/**
 * Takes an emergency backup of each old primary before anything is built over it, and waits until it is stored. It has a line in the inventory like
 * every backup, so it is kept and expires as emergency backups do; without a manifest, because nobody may write a canary there any more.
 */
export const keepOldPrimary = defineStep({
  name: 'keep-old-primary',
  summary: 'Takes an emergency backup of what the old primary holds, before it is rebuilt.',
  timeout: minutes(2),
  needs: keepNeeds,
  input: FailbackRecord,
  async run(record, context) {
    const { operations, replicas, clock } = context;
    const { oldRegion } = record.request;
    let kept = record;
    const pending: string[] = [];
    for (const { id } of operations.databases) {
      if ((await replicas.describe(id, oldRegion)).role !== 'primary') continue;
      const status = await keep(id, kept, context);
      if (status === 'failed')
        return found(kept, 'stopped', `the backup of the old primary of ${id} failed: nothing was rebuilt`, clock.now());
      if (status !== 'available') pending.push(id);
      if (!kept.kept.some(({ databaseId }) => databaseId === id)) {
        kept = { ...kept, kept: [...kept.kept, { databaseId: id, recoveryPointId: pointOf(id, record) }] };
      }
    }
    if (pending.length > 0)
      return notYet(kept, 'keeping', `the backup of ${pending.join(', ')} is being stored`, { now: clock.now(), limit });
    return found(kept, 'kept', `${kept.kept.length} old primaries are backed up`, clock.now());
  },
});

/** Named by the request: repeated, it finds the same one. */
const pointOf = (databaseId: DatabaseId, { request }: FailbackRecord) =>
  recoveryPointId(databaseId, 'emergency', new Date(request.requestedAt));

async function keep(databaseId: DatabaseId, record: FailbackRecord, context: Context): Promise<'creating' | 'available' | 'failed'> {
  const { databases, recoveryPoints } = context;
  const { oldRegion, requestedAt } = record.request;
  const id = pointOf(databaseId, record);
  const ref = { region: oldRegion, snapshotId: id };
  const existing = await databases.describeSnapshot(ref);
  if (existing) return existing.status;
  // The line first: the sweeper removes snapshots that no line names.
  if (!(await recoveryPoints.get(id))) {
    const location = { region: oldRegion, role: 'home' as const, snapshotId: id, keyId: 'pending', status: 'creating' as const };
    await recoveryPoints.add({ id, databaseId, kind: 'emergency', requestedAt, locations: [location], version: 0 });
  }
  const taken = await act(
    context,
    record,
    { action: 'create-snapshot', resource: `${oldRegion}/${id}`, details: { kind: 'emergency' } },
    () => databases.createSnapshot({ ...ref, databaseId, kind: 'emergency' }),
  );
  return taken.status;
}
