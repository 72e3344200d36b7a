import { z } from 'zod';
import { DatabaseId, RecoveryPointId, Region, Timestamp, timeSlug, VerificationId } from '../common/ids.ts';

/** Why a recovery point was taken; retention is set per kind. */
export const BackupKind = z.enum(['daily', 'six-hourly', 'emergency']);
export type BackupKind = z.output<typeof BackupKind>;

/** What a verification said. */
export const VerificationSummary = z.strictObject({
  verificationId: VerificationId,
  outcome: z.enum(['verified', 'refused']),
  at: Timestamp,
});
export type VerificationSummary = z.output<typeof VerificationSummary>;

/** One copy of a recovery point: a snapshot in one Region under a key of that Region. */
export const Location = z.strictObject({
  region: Region,
  /** `home` where it was taken, `copy` re-encrypted in another Region, `locked` in the compliance vault. */
  role: z.enum(['home', 'copy', 'locked']),
  snapshotId: z.string().min(1),
  /** Key that encrypts it: an ARN on AWS, a key name in the lab. */
  keyId: z.string().min(1),
  status: z.enum(['creating', 'available', 'failed', 'removed']),
  availableAt: Timestamp.optional(),
  /** What the newest verification of this very location said. */
  verdict: VerificationSummary.optional(),
  /** Set while `verdict` is `verified`: when. */
  verifiedAt: Timestamp.optional(),
  /** Nobody can remove it before then. */
  lockedUntil: Timestamp.optional(),
});
export type Location = z.output<typeof Location>;

/** A line of the inventory (row B6): what, where, how big, under which key, verified when and by which proof. */
export const RecoveryPoint = z.strictObject({
  id: RecoveryPointId,
  databaseId: DatabaseId,
  kind: BackupKind,
  /** The scheduled time, or the time of the request for an emergency backup. */
  requestedAt: Timestamp,
  engineVersion: z.string().optional(),
  sizeBytes: z.number().int().nonnegative().optional(),
  locations: z.array(Location),
  /** SHA-256 (hex) of the manifest taken with it; absent while it is being taken, and when taking it failed. */
  manifestSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Content root (hex) fixed by the first verified restore: every later one must match it. */
  contentRoot: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Verified while a restore from some location that is still available was; see `withVerdict`. */
  verification: VerificationSummary.optional(),
  /** Raised by each write; a writer that read an older one loses (`Conflict`). */
  version: z.number().int().nonnegative(),
});
export type RecoveryPoint = z.output<typeof RecoveryPoint>;

/** `cb-hms-daily-20261121t070000z`: the same request always gives the same id, which makes backups idempotent. */
export function recoveryPointId(databaseId: DatabaseId, kind: BackupKind, requestedAt: Date): RecoveryPointId {
  return RecoveryPointId.parse(`cb-${databaseId}-${kind}-${timeSlug(requestedAt)}`);
}

const idFormat = new RegExp(`^cb-(?<databaseId>.+)-(?:${BackupKind.options.join('|')})-\\d{8}t\\d{6}z$`);

/** The database that an id made by `recoveryPointId` names; undefined for an id of any other form. */
export function databaseIdOf(id: RecoveryPointId): DatabaseId | undefined {
  return DatabaseId.safeParse(idFormat.exec(id)?.groups?.databaseId).data;
}

export const isVerified = (point: RecoveryPoint): boolean => point.verification?.outcome === 'verified';

/** A snapshot as the database service reports it. */
export const Snapshot = z.strictObject({
  region: Region,
  snapshotId: z.string(),
  databaseId: DatabaseId,
  status: z.enum(['creating', 'available', 'failed']),
  /** True once the instant that the snapshot shows has certainly passed, even while bytes are still being stored. */
  captured: z.boolean(),
  createdAt: z.date(),
  sizeBytes: z.number().int().nonnegative(),
  engineVersion: z.string(),
  encrypted: z.boolean(),
  keyId: z.string(),
});
export type Snapshot = z.output<typeof Snapshot>;

/** The live database as the database service reports it. */
export const LiveDatabase = z.strictObject({
  databaseId: DatabaseId,
  region: Region,
  status: z.string(),
  engineVersion: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  encrypted: z.boolean(),
  deletionProtected: z.boolean(),
  /** Days of transaction log kept for point-in-time restore; 0 means off. */
  logRetentionDays: z.number().int().nonnegative(),
  earliestRestorableAt: z.date().optional(),
  latestRestorableAt: z.date().optional(),
  /** Set on a read replica: where it copies from. */
  replicaOf: z.string().optional(),
  replicas: z.array(z.string()),
});
export type LiveDatabase = z.output<typeof LiveDatabase>;

/** A temporary database made by a restore. Carries an owner tag and an expiry; the sweeper removes what outlives it. */
export const RestoredDatabase = z.strictObject({
  region: Region,
  restoredId: z.string(),
  databaseId: DatabaseId,
  status: z.enum(['creating', 'available', 'failed', 'deleting']),
  /** Why it failed, where the service tells. */
  reason: z.string().optional(),
  createdAt: z.date(),
  /** `doesNotExpire` once it is being made fit to take the live database's place. */
  expiresAt: z.date(),
});
export type RestoredDatabase = z.output<typeof RestoredDatabase>;

/** No sweeper lives to see it. */
export const doesNotExpire = new Date('9999-12-31T00:00:00.000Z');
