import type { Clock } from '../../common/clock.ts';
import { secondsBetween } from '../../common/duration.ts';
import type { Region } from '../../common/ids.ts';
import type { CoordinationRecord } from '../models.ts';
import type { Coordination } from '../ports.ts';
import { within } from '../time-limit.ts';

/** Health checkers ask several times a second in all; the table is asked once in so many seconds. The writer waits as long for a lease that has just begun. */
const rememberSeconds = 0.5;
/** Route 53 waits two seconds for an answer ("How Route 53 determines whether a health check is healthy"). */
const readSeconds = 1;

/**
 * What the health checks of a Region hear: 200 while it holds the lease, else 503. Traffic follows the lease by this alone; no database and no
 * record of a name is touched. A table that does not answer changes nothing before the lease ends that was last read of: until then nobody
 * else can have promoted.
 */
export function leaseEndpoint({
  coordination,
  region,
  clock,
}: {
  readonly coordination: Pick<Coordination, 'read'>;
  readonly region: Region;
  readonly clock: Clock;
}): () => Promise<200 | 503> {
  let last: { readonly record: CoordinationRecord | undefined; readonly at: Date } | undefined;
  return async () => {
    if (!last || secondsBetween(last.at, clock.now()) >= rememberSeconds) {
      const read = within(clock, readSeconds, coordination.read());
      const record = await read.catch(() => last?.record);
      last = { record, at: clock.now() };
    }
    return holdsLease(last.record, region, clock.now()) ? 200 : 503;
  };
}

function holdsLease(record: CoordinationRecord | undefined, region: Region, now: Date): boolean {
  return record?.phase === 'active' && record.holder === region && Date.parse(record.leaseUntil) > now.getTime();
}
