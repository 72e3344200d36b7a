import { z } from 'zod';
import { BackupKind } from '../backup/models.ts';
import { DatabaseId, Region, Timestamp } from '../common/ids.ts';

/** What the modelled control plane keeps; statuses follow from these times and the clock. */
const Owned = { owner: z.string(), databaseId: DatabaseId, region: Region, createdAt: Timestamp };

export const SnapshotItem = z.strictObject({
  ...Owned,
  snapshotId: z.string(),
  kind: BackupKind.optional(),
  capturedAt: Timestamp,
  availableAt: Timestamp,
  failed: z.boolean(),
  sizeBytes: z.number().int().nonnegative(),
  engineVersion: z.string(),
  encrypted: z.boolean(),
  keyId: z.string(),
  lockedUntil: Timestamp.optional(),
});
export type SnapshotItem = z.output<typeof SnapshotItem>;

export const RestoredItem = z.strictObject({
  ...Owned,
  restoredId: z.string(),
  availableAt: Timestamp,
  expiresAt: Timestamp,
  failed: z.boolean(),
  /** Why it failed. */
  reason: z.string().optional(),
  /** Snapshot that it came from, or the instant of a point-in-time restore. */
  from: z.string(),
  /** The moment whose content it has. */
  shows: Timestamp.optional(),
  /** It is to take the live database's place: it does not expire. `fitAt`: when it will be as the live one is around its data. */
  standsIn: z.strictObject({ fitAt: Timestamp.optional(), deletionProtected: z.boolean() }).optional(),
  goneAt: Timestamp.optional(),
});
export type RestoredItem = z.output<typeof RestoredItem>;

/** How long the modelled service takes, in seconds. */
export interface Timings {
  /** From the request until the instant that the snapshot shows. */
  readonly captureSeconds: number;
  readonly snapshotSeconds: number;
  readonly copySeconds: number;
  readonly restoreSeconds: number;
  readonly removeSeconds: number;
}
