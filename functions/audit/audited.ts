import type { Clock } from '../common/clock.ts';
import { messageOf } from '../common/errors.ts';
import { type Region, timestamp } from '../common/ids.ts';
import type { AuditEvent, AuditLog } from './ports.ts';

/** Who does what to which thing. `details` hold ids, counts and reasons, never a value out of a patient's record. */
export interface Act {
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly details?: AuditEvent['details'];
}

/**
 * Carries out `perform` between two durable audit events: the intent before, the outcome after (promise P4). When the intent
 * cannot be recorded nothing is done. When the act succeeded and only its outcome cannot be recorded, the error of the audit
 * log is thrown: acts are idempotent, so the caller's retry repeats the act and records it then.
 *
 * @throws whatever `perform` throws, after recording the failure; ServiceUnavailable from the audit log
 */
export async function audited<T>(
  { auditLog, clock, region }: { readonly auditLog: AuditLog; readonly clock: Clock; readonly region: Region },
  act: Act,
  perform: () => Promise<T>,
): Promise<T> {
  const startedAt = clock.now();
  const actId = `${act.action}:${act.resource}:${startedAt.toISOString()}`;
  const record = (phase: AuditEvent['phase'], outcome: AuditEvent['outcome'], at: Date, more: AuditEvent['details'] = {}) =>
    auditLog.record({
      eventId: `${actId}:${phase}`,
      actId,
      phase,
      at: timestamp(at),
      actor: act.actor,
      action: act.action,
      resource: act.resource,
      region,
      outcome,
      details: { ...act.details, ...more },
    });

  await record('intent', 'pending', startedAt);
  let result: T;
  try {
    result = await perform();
  } catch (error) {
    await record('outcome', 'failure', clock.now(), { error: messageOf(error).slice(0, 500) });
    throw error;
  }
  await record('outcome', 'success', clock.now());
  return result;
}
