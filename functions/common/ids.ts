import { z } from 'zod';

/** Name of a database in the config. Becomes part of RDS identifiers, so it follows their rules and stays short. */
export const DatabaseId = z
  .string()
  .regex(/^[a-z](?!.*--)[a-z0-9-]{0,38}[a-z0-9]$/, 'lower-case letters, digits and single hyphens, 2-40 characters, starting with a letter')
  .brand<'DatabaseId'>();
export type DatabaseId = z.output<typeof DatabaseId>;

/** An AWS Region name such as `us-east-1`; the lab uses the same names for its local regions. */
export const Region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS Region name such as us-east-1')
  .brand<'Region'>();
export type Region = z.output<typeof Region>;

/** Identifies a recovery point everywhere: inventory, snapshot name, manifest key, audit events. */
export const RecoveryPointId = z
  .string()
  .regex(/^cb-[a-z0-9-]+$/, 'an id such as cb-hms-daily-20261121t070000z')
  .brand<'RecoveryPointId'>();
export type RecoveryPointId = z.output<typeof RecoveryPointId>;

/** Identifies one verification (one execution of the verify machine). */
export const VerificationId = z
  .string()
  .regex(/^cbv-[a-z0-9-]+$/, 'an id such as cbv-hms-20261121t071500z-1')
  .brand<'VerificationId'>();
export type VerificationId = z.output<typeof VerificationId>;

/** `20261121t070000z`: UTC to the second, in characters that RDS identifiers and execution names allow. */
export function timeSlug(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:]/g, '')}z`.toLowerCase();
}

/** ISO 8601 UTC with milliseconds; dates travel as strings in events, items and machine records. */
export const Timestamp = z.iso.datetime({ precision: 3 }).brand<'Timestamp'>();
export type Timestamp = z.output<typeof Timestamp>;
export const timestamp = (date: Date): Timestamp => Timestamp.parse(date.toISOString());
