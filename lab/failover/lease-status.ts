import type { Region } from '../../functions/common/ids.ts';
import type { Coordination } from '../../functions/failover/ports.ts';

/** 200 while that region holds the lease, else 503: what its lease endpoint tells the health checks. */
export async function leaseStatus(coordination: Coordination, region: Region, now: Date): Promise<number> {
  const record = await coordination.peek().catch(() => undefined);
  const holds = record?.phase === 'active' && record.holder === region && Date.parse(record.leaseUntil) > now.getTime();
  return holds ? 200 : 503;
}
