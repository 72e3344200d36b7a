import { z } from 'zod';
import { BackupKind } from '../../functions/backup/models.ts';
import { DatabaseId } from '../../functions/common/ids.ts';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Lsn = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/);

/** What was packed, as PostgreSQL's own backup manifests list it. Travels inside the encrypted object, as its last file. */
export const BackupContents = z.strictObject({
  format: z.literal('codeblue-lab-backup/1'),
  /** Id of the snapshot that was taken; a copy under another id keeps it. */
  takenAs: z.string(),
  databaseId: DatabaseId,
  kind: BackupKind,
  engineVersion: z.string(),
  timeline: z.int().positive(),
  startLsn: Lsn,
  stopLsn: Lsn,
  /** By the database server's own clock: the instant that the backup shows. */
  endedAt: z.iso.datetime(),
  files: z.array(z.strictObject({ name: z.string(), size: z.int().nonnegative(), sha256: Sha256 })),
});
export type BackupContents = z.output<typeof BackupContents>;

export const CONTENTS_FILE = 'codeblue-backup.json';

/** What the store knows about a stored object without opening it: a small JSON file beside it. */
export const Sidecar = z.strictObject({
  snapshotId: z.string(),
  createdAt: z.iso.datetime(),
  /** Of the stored object. */
  sizeBytes: z.int().nonnegative(),
  /** Of the stored object. */
  sha256: Sha256,
  keyId: z.string(),
  tags: z.strictObject({ owner: z.string() }),
  /** Nobody can remove it before then. */
  lockedUntil: z.iso.datetime().optional(),
  contents: BackupContents,
});
export type Sidecar = z.output<typeof Sidecar>;
