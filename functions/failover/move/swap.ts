import { seconds, secondsBetween } from '../../common/duration.ts';
import type { Ports } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';
import type { FailoverPlan, FailoverRecord } from '../models.ts';
import { act, found, freshStanding, pastItsEpoch } from './steps/failover-step.ts';

/** One look stays this long: a renaming takes minutes, and each look is an act in the audit log. */
const lookSeconds = seconds(15);
const pollMilliseconds = 3_000;

/**
 * Goes on with putting a restored copy in the place of the damaged database, for one look. Each call to the service comes after a read of this moment that
 * shows the record beyond the point of no return in this plan's epoch.
 *
 * @returns the record as `promoting`, or `promoted` once the copy is the primary, or `stuck`, or as past its epoch
 */
export async function swapOneStep(
  record: FailoverRecord,
  { databaseId, restoredId }: NonNullable<FailoverPlan['replacement']>,
  context: Pick<Ports, 'auditLog' | 'coordination' | 'replicas'> & TaskContext,
): Promise<FailoverRecord> {
  const { coordination, replicas, clock } = context;
  const { plan } = record;
  const startedAt = clock.now();
  const resource = `database/${databaseId}/${plan.to}`;
  return act(context, record, { action: 'swap-in', resource, details: { restoredId, epoch: plan.epoch } }, async () => {
    for (;;) {
      const standing = await freshStanding(coordination, record);
      if (standing !== 'promoting' && standing !== 'leads') return pastItsEpoch(record, standing);
      const { role, status, says } = await replicas.swapIn({ databaseId, region: plan.to, restoredId, epoch: plan.epoch });
      const told = `${databaseId}: ${role}, ${says}`;
      if (status === 'failed') return found(record, 'stuck', told);
      if (role === 'primary' && status === 'available') return found(record, 'promoted', told);
      if (secondsBetween(startedAt, clock.now()) >= lookSeconds) return found(record, 'promoting', told);
      await clock.sleep(pollMilliseconds);
    }
  });
}
