import { z } from 'zod';
import { Region, Timestamp } from '../common/ids.ts';

/**
 * One act of Codeblue. `intent` is written before the act, `outcome` after it, under the same `actId`.
 * `details` hold ids, counts, times and reasons; never a value out of a patient's record.
 */
export const AuditEvent = z.strictObject({
  /** Unique; recording the same id again changes nothing. */
  eventId: z.string().min(1).max(200),
  actId: z.string().min(1).max(190),
  phase: z.enum(['intent', 'outcome']),
  at: Timestamp,
  /** Who acted: a task (`task/expire-recovery-points`), a machine step, or a person (`cli/alice`). */
  actor: z.string().min(1).max(200),
  action: z.string().min(1).max(100),
  resource: z.string().min(1).max(500),
  region: Region,
  outcome: z.enum(['pending', 'success', 'failure', 'skipped']),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type AuditEvent = z.output<typeof AuditEvent>;

export interface AuditLog {
  /** MUST NOT resolve until the event is durable. Idempotent by `eventId`. @throws ServiceUnavailable */
  record(event: AuditEvent): Promise<void>;
  /** Events of one act, intent first. */
  act(actId: string): Promise<readonly AuditEvent[]>;
  /** Newest first, at most `limit`, at or after `since`. */
  recent(since: Date, limit: number): Promise<readonly AuditEvent[]>;
}
