import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { InvalidInput } from '../common/errors.ts';
import { DatabaseId, RecoveryPointId, Timestamp } from '../common/ids.ts';
import { parseAs } from '../common/parse.ts';
import { PackedFlux } from './flux.ts';
import { Totals } from './totals.ts';

/** A thing of the schema and the SQL that defines it: `{kind: 'index', name: 'public.orders_pkey', definition: 'CREATE ...'}`. */
export const SchemaObject = z.strictObject({ kind: z.string(), name: z.string(), definition: z.string() });
export type SchemaObject = z.output<typeof SchemaObject>;

export const SequenceState = z.strictObject({
  schema: z.string(),
  name: z.string(),
  increment: z.string(),
  cycles: z.boolean(),
  /** The last number handed out; null before the first. */
  lastValue: z.string().nullable(),
  /** The column it feeds holds numbers beyond it. */
  behindColumn: z.boolean(),
});
export type SequenceState = z.output<typeof SequenceState>;

export const TableManifest = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** Rows visible in the manifest's snapshot. */
  rows: z.string(),
  hasKey: z.boolean(),
  /** Rows that must be in the copy exactly. */
  stable: Totals,
  flux: PackedFlux,
  /** More rows in flux than can be listed: content cannot be told. */
  overflowed: z.boolean(),
  /** Why the table could not be read: a lock, DDL in between, damage. */
  unread: z.string().optional(),
});
export type TableManifest = z.output<typeof TableManifest>;

const CanaryMark = z.strictObject({ seq: z.int().nonnegative(), writtenAt: Timestamp });
const Xid = z.string().regex(/^\d+$/);

export const DatabaseManifest = z.strictObject({
  name: z.string(),
  encoding: z.string(),
  collation: z.string(),
  /** `codeblue.identity`: tells this database from every other. */
  identity: z.uuid(),
  /** Committed and flushed after the snapshot of the manifest was taken: a copy that has it has everything the manifest saw. */
  startCanary: CanaryMark,
  /** Written after the copy was captured: a copy that has it is not the one that the manifest describes. */
  endCanary: CanaryMark,
  /** Transactions in [from, to) are recent: 64-bit ids. All below `from` had ended; none at or above `to` is in the copy. */
  recent: z.strictObject({ from: Xid, to: Xid }),
  schema: z.array(SchemaObject),
  /** What DDL made of objects while the manifest was taken; null: dropped. The copy may show either. */
  schemaChanges: z.array(z.strictObject({ kind: z.string(), name: z.string(), definition: z.string().nullable() })),
  sequences: z.array(SequenceState),
  tables: z.array(TableManifest),
  unlogged: z.array(z.string()),
});
export type DatabaseManifest = z.output<typeof DatabaseManifest>;

/** What a restored copy of one recovery point must show. Hashes, counts and names only: no value of any row. */
export const Manifest = z.strictObject({
  /** Rises with every change of the row hash: a manifest of another number cannot be compared, and says so. */
  format: z.literal('codeblue-manifest/1'),
  databaseId: DatabaseId,
  recoveryPointId: RecoveryPointId,
  serverVersion: z.string(),
  openedAt: Timestamp,
  completedAt: Timestamp,
  databases: z.array(DatabaseManifest).min(1),
});
export type Manifest = z.output<typeof Manifest>;

/** Gzipped JSON. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return gzipSync(JSON.stringify(parseAs(Manifest, manifest, 'the manifest')));
}

/** Half a gigabyte of manifest is an attack or a mistake. */
const MAX_BYTES = 1 << 29;

/** @throws InvalidInput when the bytes are not a manifest of this format */
export function decodeManifest(bytes: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8'));
  } catch (cause) {
    throw new InvalidInput('the manifest cannot be read: it is not gzipped JSON', { cause });
  }
  return parseAs(Manifest, value, 'the manifest');
}
