import type { Clock } from '../../common/clock.ts';
import { minutes, secondsBetween } from '../../common/duration.ts';
import { ServiceUnavailable } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { Coordination } from '../ports.ts';

/** A lease is renewed every few seconds: a record that has not been for so long is an old copy of it, or nobody is left who renews. */
const staleSeconds = minutes(5);

/**
 * Whether a Region is the one that acts for the deployment: runs the tasks of the active Region and writes the inventory. That is the
 * Region which leads; while leadership is being moved it is none, and what is due then is caught up by `run-missed-tasks`. Without failover, and
 * before the first guardian, it is the configured primary.
 *
 * What the nearest replica knows is enough, because nothing that follows rests on it: no task of the active Region promotes or fences.
 *
 * @throws ServiceUnavailable when the table does not answer, or shows this Region a lead that nobody has renewed for minutes: whoever
 *   triggered the task tries again
 */
export async function isActive({
  operations,
  region,
  clock,
  coordination,
}: {
  readonly operations: Pick<Operations, 'failover' | 'regions'>;
  readonly region: Region;
  readonly clock: Pick<Clock, 'now'>;
  readonly coordination: Pick<Coordination, 'peek'>;
}): Promise<boolean> {
  if (operations.failover.mode === 'off') return region === operations.regions.primary;
  const record = await coordination.peek();
  if (record === undefined) return region === operations.regions.primary;
  if (record.phase !== 'active' || record.holder !== region) return false;
  const lapsed = secondsBetween(new Date(record.leaseUntil), clock.now());
  if (lapsed > staleSeconds) {
    throw new ServiceUnavailable(
      `${region} held the lease of epoch ${record.epoch} until ${record.leaseUntil}; whether it still leads is not known`,
      {
        hint: 'The guardians renew the lease: see the alarm LeaseNotRenewed.',
      },
    );
  }
  return true;
}
