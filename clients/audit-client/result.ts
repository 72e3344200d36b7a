/**
 * What became of one event. `recorded`, `already`: it is durable. `sent`: the bus has it, and whatever it refuses is told to nobody but Codeblue's operators. `rejected`: it will
 * never be taken as it is. `unavailable`: it may be durable or not; send it again under the same eventId.
 */
export type LogResult =
  | Logged
  | { readonly eventId: string; readonly status: 'rejected' | 'unavailable'; readonly code: string; readonly reason: string };

/** The log refuses the event as it is; sending it again is of no use. `code` is one of docs/audit-events.md. */
export class AuditEventRejected extends Error {
  override readonly name = 'AuditEventRejected';
  readonly eventId: string;
  readonly code: string;
  readonly reason: string;

  constructor({ eventId, code, reason }: { readonly eventId: string; readonly code: string; readonly reason: string }) {
    super(`audit event ${eventId} was rejected (${code}): ${reason}`);
    this.eventId = eventId;
    this.code = code;
    this.reason = reason;
  }
}

/** Nobody knows whether the event is durable: all attempts failed. Send it again under `eventId`, or do not do what it tells of. */
export class AuditLogUnavailable extends Error {
  override readonly name = 'AuditLogUnavailable';
  readonly eventId: string;
  readonly code: string;

  constructor({ eventId, code, reason }: { readonly eventId: string; readonly code: string; readonly reason: string }) {
    super(`audit event ${eventId} may not be recorded (${code}): ${reason}`);
    this.eventId = eventId;
    this.code = code;
  }
}

export interface Logged {
  readonly eventId: string;
  readonly status: 'recorded' | 'already' | 'sent';
}
