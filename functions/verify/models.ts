import { z } from 'zod';
import { DatabaseId, RecoveryPointId, Region, Timestamp, VerificationId } from '../common/ids.ts';

/** One question put to a restored database, and the answer. */
export const Check = z.strictObject({
  /** Stable id: `integrity`, `identity`, `window`, `schema`, `rows`, `content`, `content-root`, `foreign-keys`, `indexes`, `sequences`, `constraints`, `invariant/<name>`, `restore`, `teardown`, `completed`. */
  id: z.string().regex(/^[a-z-]+(\/[a-z0-9-]+)?$/),
  /** What was asked, as a sentence. */
  says: z.string(),
  /** `not-applicable` never counts as passed work: the verdict lists it with its reason. */
  result: z.enum(['passed', 'failed', 'not-applicable']),
  /** What was found: counts, names of tables and objects, times. No row values. At most 20 lines. */
  findings: z.array(z.string()).max(20),
});
export type Check = z.output<typeof Check>;

export const Measured = z.strictObject({
  /** From asking for the restore until a query was answered. */
  restoreSeconds: z.number().nonnegative().optional(),
  /** Age of the last surviving canary at the instant that the restore should show. */
  lossSeconds: z.number().optional(),
  /** Age of the last surviving canary at the time of the verification: what would be lost if only this point were left. */
  exposureSeconds: z.number().optional(),
  checkSeconds: z.number().nonnegative().optional(),
  sizeBytes: z.number().int().nonnegative().optional(),
  rows: z.number().int().nonnegative().optional(),
  tables: z.number().int().nonnegative().optional(),
});
export type Measured = z.output<typeof Measured>;

/** What is to be restored and judged. */
export const Target = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('recovery-point'), recoveryPointId: RecoveryPointId, snapshotId: z.string() }),
  z.strictObject({ kind: z.literal('point-in-time'), time: Timestamp }),
]);
export type Target = z.output<typeof Target>;

/** The record that every state of the verify machine takes and returns. */
export const VerificationRecord = z.strictObject({
  verificationId: VerificationId,
  databaseId: DatabaseId,
  /** Region that restores and judges. */
  region: Region,
  /** `recovery`: the copy is not only judged, it is to take the place of the live database. */
  purpose: z.enum(['backup', 'point-in-time', 'second-region', 'on-demand', 'recovery']),
  target: Target,
  startedAt: Timestamp,
  restoredId: z.string().optional(),
  restoreRequestedAt: Timestamp.optional(),
  restoredAt: Timestamp.optional(),
  restoreStatus: z.enum(['creating', 'available']).optional(),
  checks: z.array(Check),
  measured: Measured,
  contentRoot: z.string().optional(),
  teardown: z.strictObject({ status: z.enum(['removing', 'removed']), requestedAt: Timestamp, removedAt: Timestamp.optional() }).optional(),
  verdict: z.enum(['verified', 'refused']).optional(),
  proofId: VerificationId.optional(),
  /** Put here by the machine when a state failed: `Error` and `Cause` as Step Functions writes them. */
  failure: z.object({ Error: z.string(), Cause: z.string().optional() }).optional(),
});
export type VerificationRecord = z.output<typeof VerificationRecord>;
