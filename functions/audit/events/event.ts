import { z } from 'zod';
import { Timestamp } from '../../common/ids.ts';

/** Longest event, as UTF-8 bytes of its canonical JSON. */
export const EVENT_LIMIT_BYTES = 65_536;

/** Printable text of one line. */
const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u, 'printable text without line breaks');

/** The same, typed by somebody: its type keeps it out of leaves, log lines and file names. */
const personalLine = (longest: number) => line(longest).brand<'Personal'>();

/** RFC 9562, lower case. Not free text: the id stands in the leaf, which cannot be erased. */
export const EventId = z
  .uuid()
  .refine((id) => id === id.toLowerCase(), 'a UUID in lower case')
  .brand<'EventId'>();
export type EventId = z.output<typeof EventId>;

/**
 * Whom it was about, as the application's own opaque id: never a name, a number of a register or a date of birth. It is in the body, which can be erased, and its type
 * keeps it out of leaves, log lines and file names.
 */
export const PatientRef = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{3,127}$/, 'an opaque id of 4-128 letters, digits, _ . : -')
  .brand<'PatientRef'>()
  .brand<'Personal'>();
export type PatientRef = z.output<typeof PatientRef>;

/** What came of it. `pending` is an intent: its outcome is an event of its own. */
export const Outcome = z.enum(['success', 'failure', 'denied', 'pending', 'skipped']);
export type Outcome = z.output<typeof Outcome>;

/** Codes of HL7 v3 PurposeOfUse that occur in a hospital (http://terminology.hl7.org/CodeSystem/v3-ActReason). */
export const purposesOfUse = [
  ...['TREAT', 'ETREAT', 'BTG', 'CAREMGT', 'CLINTRCH', 'HOPERAT', 'HSYSADMIN', 'HQUALIMP', 'HCOMPL', 'HLEGAL', 'HPAYMT', 'HRESCH'],
  ...['PUBHLTH', 'PATRQT', 'PATADMIN', 'FAMRQT', 'PWATRNY', 'RECORDMGT', 'TRAIN', 'DISASTER', 'THREAT', 'HDIRECT', 'HMARKT', 'COC'],
] as const;

/** Actions that every deployment knows; more come from `audit.actions` of the config. Codeblue's own are those of its code. */
export const standardActions = [
  ...['record.create', 'record.read', 'record.update', 'record.delete', 'record.search', 'record.print', 'record.export', 'record.import'],
  ...[
    'record.disclose',
    'record.amend',
    'record.sign',
    'emergency-access',
    'consent.give',
    'consent.withdraw',
    'order.place',
    'order.cancel',
  ],
  ...['sign-in', 'sign-in-failed', 'sign-out', 'permission.grant', 'permission.revoke', 'user.create', 'user.disable', 'password.change'],
  ...['configuration.change', 'report.run', 'service.start', 'service.stop', 'process.execute'],
] as const;

const Scalar = z.union([z.string().max(4096).brand<'Personal'>(), z.number().brand<'Personal'>(), z.boolean(), z.null()]);

/** An event as an application sends it: the contract of `docs/audit-events.md`, the same for bus, HTTPS and the client. Absent is left out, never null. */
export const SubmittedEvent = z.strictObject({
  eventId: EventId,
  /** When it happened, by the application's clock: UTC to the millisecond. */
  at: Timestamp,
  /** Who did it: the application's opaque id of the user, or of the service for what no user did. */
  userId: personalLine(128),
  /** One of `standardActions`, or of the config's `audit.actions`. */
  action: z.string().min(1).max(64),
  /** What it was done to: `<type>/<id>`, the type one of FHIR's where there is one. */
  resource: personalLine(500),
  outcome: Outcome,
  /** The application that tells it. */
  service: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'lower-case words joined by hyphens'),
  ipAddress: z.union([z.ipv4().brand<'Personal'>(), z.ipv6().brand<'Personal'>()]).optional(),
  userAgent: personalLine(512).optional(),
  purpose: z.enum(purposesOfUse).optional(),
  patientRef: PatientRef.optional(),
  /** What else is to be known. Erased with the body. */
  details: z.record(z.string().min(1).max(64), Scalar).optional(),
});
export type SubmittedEvent = z.output<typeof SubmittedEvent>;

/**
 * What is kept of an event beside the log and can be erased: the event, who handed it over (the ARN of an IAM principal, `bus/<account>/<source>`, or `codeblue`), and for Codeblue's own acts the
 * act's id and phase. The leaf commits to its canonical JSON.
 */
export const EventBody = SubmittedEvent.extend({
  /** Codeblue's own acts have actions of its code. */
  submittedBy: line(300),
  actId: z.string().min(1).max(190).optional(),
  phase: z.enum(['intent', 'outcome']).optional(),
});
export type EventBody = z.output<typeof EventBody>;

/** Canonical JSON of an `EventBody`. */
export const CanonicalBody = z.string().min(1).brand<'Personal'>();
export type CanonicalBody = z.output<typeof CanonicalBody>;
