import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { after, minutes } from '../common/duration.ts';
import { timestamp } from '../common/ids.ts';
import { defineTask } from '../common/task.ts';
import { recoveryPointId } from './models.ts';

/**
 * Takes a copy that nobody can remove before its time (row B8). In mode `simulate` it takes none and tells what a lock would
 * hold and until when, because a compliance lock cannot be undone once its grace days are over.
 */
export const lockRecoveryPoints = defineTask({
  name: 'lock-recovery-points',
  summary: 'Takes a locked copy of each database into the compliance vault, or simulates it.',
  schedule: (operations) => (operations.vaultLock.mode === 'off' ? [] : [{ key: '', schedule: operations.vaultLock.schedule, input: {} }]),
  runsIn: 'active',
  timeout: minutes(5),
  needs: ['vault:lock'],
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, vault, region, clock, scheduledAt } = context;
    const { mode, minRetention } = operations.vaultLock;
    const copies = [];
    for (const { id: databaseId } of operations.databases) {
      const id = recoveryPointId(databaseId, 'daily', scheduledAt);
      const lockedUntil = timestamp(after(clock.now(), minRetention));
      if (mode === 'compliance') {
        const act = { actor: 'task/lock-recovery-points', action: 'lock-copy', resource: `${databaseId}/${id}`, details: { lockedUntil } };
        await audited(context, act, () => vault.lock({ region, databaseId, recoveryPointId: id }));
      }
      const held = await vault.list(region, databaseId);
      copies.push({ databaseId, mode, lockedUntil, heldCopies: held.length });
    }
    return { copies };
  },
});
