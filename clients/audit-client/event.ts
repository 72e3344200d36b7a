import { randomBytes } from 'node:crypto';

/** Codes of HL7 v3 PurposeOfUse (http://terminology.hl7.org/CodeSystem/v3-ActReason) that the log takes. */
export type PurposeOfUse =
  | ('TREAT' | 'ETREAT' | 'BTG' | 'CAREMGT' | 'CLINTRCH' | 'HOPERAT' | 'HSYSADMIN' | 'HQUALIMP' | 'HCOMPL' | 'HLEGAL' | 'HPAYMT' | 'HRESCH')
  | (
      | 'PUBHLTH'
      | 'PATRQT'
      | 'PATADMIN'
      | 'FAMRQT'
      | 'PWATRNY'
      | 'RECORDMGT'
      | 'TRAIN'
      | 'DISASTER'
      | 'THREAT'
      | 'HDIRECT'
      | 'HMARKT'
      | 'COC'
    );

/** An event as it is sent: the contract of docs/audit-events.md. What an event does not have is left out. */
export interface AuditEvent {
  /** UUID in lower case; the same event sent twice under one id is recorded once. */
  readonly eventId: string;
  /** When it happened: UTC to the millisecond, `new Date().toISOString()`. */
  readonly at: string;
  /** Your own opaque id of who did it: at most 128 characters. */
  readonly userId: string;
  /** A standard action (`record.read`, `sign-in`, ...) or one of the deployment's own. It cannot be erased. */
  readonly action: string;
  /** `<type>/<id>` of what it was done to: at most 500 characters. */
  readonly resource: string;
  readonly outcome: 'success' | 'failure' | 'denied' | 'pending' | 'skipped';
  /** Your application: lower-case words joined by hyphens. */
  readonly service: string;
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly purpose?: PurposeOfUse | undefined;
  /** Your own opaque id of the patient: never a name, a register's number or a date of birth. */
  readonly patientRef?: string | undefined;
  readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

/** An event as you give it: an id and the time are added where they are left out. */
export type NewAuditEvent = Omit<AuditEvent, 'eventId' | 'at'> & Partial<Pick<AuditEvent, 'eventId' | 'at'>>;

/** @throws RangeError for a number that JSON does not have: it would be sent as null */
export function completed(event: NewAuditEvent, now: Date): AuditEvent {
  for (const value of Object.values(event.details ?? {}))
    if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('details: a number that is not finite; leave it out');
  return { ...event, eventId: event.eventId ?? newEventId(now), at: event.at ?? now.toISOString() };
}

/** UUID of version 7 (RFC 9562): 48 bits of time, then chance. */
function newEventId(now: Date): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
