import type { AuditWatchMemory } from '../../functions/audit/ports.ts';
import type { Finding } from '../../functions/audit/watch/finding.ts';
import { lookAtLogs } from '../../functions/audit/watch/look-at-logs.ts';
import type { Region } from '../../functions/common/ids.ts';
import type { SingleLog } from './single-log.ts';

/** Long enough for any log that is judged here. */
const PATIENCE_MS = 600_000;

/**
 * What the watch finds when it looks at a log's files from another Region, with what it saw the last time; and remembers what it saw.
 *
 * @param viewer another Region than the log's: its head and its events are not looked at
 */
export async function watchLog({ ports, signer }: SingleLog, viewer: Region, memory: AuditWatchMemory): Promise<readonly Finding[]> {
  const { operations, region, clock, auditHead, auditObjects } = ports;
  const { findings, remember } = await lookAtLogs(region, {
    ...{ operations, region: viewer, clock, auditHead, auditObjects, checkpointSigner: signer, auditWatchMemory: memory },
    readUntil: new Date(clock.now().getTime() + PATIENCE_MS),
    auditEvents: { get: async () => [], query: async () => ({ events: [] }) },
    auditQueue: { pending: async () => [] },
  });
  for (const seen of remember) await memory.remember(seen);
  return findings;
}
