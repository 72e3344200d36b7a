import { emergencySnapshot } from '../../../backup/emergency-snapshot.ts';
import { hours, minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { RecoveryRecord } from '../models.ts';
import { act, found, inPhase, notYet, whyNotLeading, wrong } from './recovery-step.ts';

/** Snapshots of RDS are incremental, and this is not the first one. */
const limit = hours(6);

/** The damaged state is evidence, and the only thing that holds the writes since. */
export const keepDamagedDatabase = defineStep({
  name: 'keep-damaged-database',
  summary: 'Takes an emergency backup of the damaged database, and waits until it is stored.',
  timeout: minutes(2),
  needs: ['coordination:read', 'databases:snapshot', 'databases:describe', 'recovery-points:read', 'recovery-points:write'],
  input: RecoveryRecord,
  async run(given, context) {
    const { clock } = context;
    const now = clock.now();
    const record = inPhase(given, 'keep', now);
    const { databaseId, region, requestedAt } = record.request;
    const because = await whyNotLeading(context, record);
    if (because !== undefined) return wrong(record, 'stopped', because);
    const wanted = { databaseId, region, requestedAt: new Date(requestedAt) };
    const { id, status } = await emergencySnapshot(context, wanted, (snapshotId, take) =>
      act(context, record, { action: 'create-snapshot', resource: `${region}/${snapshotId}`, details: { kind: 'emergency' } }, take),
    );
    const kept = { ...record, keptAs: id };
    if (status === 'failed') return wrong(kept, 'stopped', `the backup ${id} of the damaged ${databaseId} failed: nothing was restored`);
    if (status === 'creating') return notYet(kept, 'keeping', `the backup ${id} is being stored`, { now, limit });
    return found(kept, 'kept', `${databaseId} as it is now is kept as ${id}`);
  },
});
