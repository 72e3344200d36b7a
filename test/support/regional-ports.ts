import { actLog } from '../../functions/audit/events/act-log.ts';
import type { Region } from '../../functions/common/ids.ts';
import type { Ports } from '../../functions/common/ports.ts';
import { memoryAuditEvents } from '../../functions/memory/audit/events.ts';
import { memoryAuditHead } from '../../functions/memory/audit/head.ts';
import { memoryAuditQueue } from '../../functions/memory/audit/queue.ts';
import { recordingMetrics } from '../../functions/memory/metrics.ts';
import { memoryStateBackups } from '../../functions/memory/state-backups.ts';
import type { MemoryWorld } from './host.ts';

/** The ports of a world as one of its Regions has them: what is of a Region (its log, its backups of tables, its metrics) is that Region's. */
export function portsIn({ ports, operations, clock, store }: MemoryWorld, region: Region) {
  const auditEvents = memoryAuditEvents({ store, region });
  return {
    ...ports,
    auditEvents,
    auditLog: actLog({ auditEvents, clock, region }),
    auditHead: memoryAuditHead({ store, region }),
    auditQueue: memoryAuditQueue({ store, region }),
    metrics: recordingMetrics(),
    stateBackups: memoryStateBackups({ deployment: operations, region, clock, store }),
  } satisfies Ports;
}
