import { z } from 'zod';
import { Timestamp } from '../common/ids.ts';
import { Check } from './models.ts';

/** The record that every state of the machine `verify-state-backup` takes and returns. */
export const StateVerificationRecord = z.strictObject({
  table: z.string().min(3),
  backupName: z.string().min(1),
  /** Name of the temporary table. */
  into: z.string().min(3).max(255),
  /** Items last written at or before this must be in the backup, unchanged. */
  until: Timestamp,
  startedAt: Timestamp.optional(),
  restoreStatus: z.enum(['creating', 'available']).optional(),
  /** How far the comparison has come, while it goes on. */
  comparison: z
    .strictObject({ compared: z.int().nonnegative(), missing: z.int().nonnegative(), different: z.int().nonnegative(), next: z.string() })
    .optional(),
  compared: z.int().nonnegative().optional(),
  checks: z.array(Check),
  removal: z.enum(['removing', 'removed']).optional(),
  verdict: z.enum(['verified', 'refused']).optional(),
  failure: z.object({ Error: z.string(), Cause: z.string().optional() }).optional(),
});
export type StateVerificationRecord = z.output<typeof StateVerificationRecord>;
