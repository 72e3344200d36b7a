import type { EventRef, RecordedEvent } from '../audit/ports.ts';
import type { DatabaseId, RecoveryPointId, Region } from '../common/ids.ts';
import type { BackupKind, LiveDatabase, RecoveryPoint, RestoredDatabase, Snapshot } from './models.ts';

export interface SnapshotRef {
  readonly region: Region;
  readonly snapshotId: string;
}

export interface RestoredRef {
  readonly region: Region;
  readonly restoredId: string;
}

export interface RestoreRequest extends RestoredRef {
  readonly databaseId: DatabaseId;
  /** The sweeper may remove it after this time, whoever is still using it. */
  readonly expiresAt: Date;
}

/**
 * The control plane of the database service, across Regions. Every "start" returns at once; `describe…` tells when it
 * is done. Starting again with the same id finds what the first call made (idempotent), so a crashed caller may repeat.
 * Every created thing carries this deployment's owner tag; `list…` returns only such things and `remove…` refuses others.
 *
 * @throws NotFound  when the named source does not exist
 * @throws NotOwned  when a thing of that id exists and is not this deployment's
 * @throws ServiceUnavailable  on throttling or a state that passes ("instance is backing up")
 */
export interface Databases {
  describe(databaseId: DatabaseId, region: Region): Promise<LiveDatabase>;

  /** Snapshot of the live database in its Region, encrypted with the key it is stored under. */
  createSnapshot(request: SnapshotRef & { readonly databaseId: DatabaseId; readonly kind: BackupKind }): Promise<Snapshot>;
  describeSnapshot(ref: SnapshotRef): Promise<Snapshot | undefined>;
  listSnapshots(region: Region): Promise<readonly Snapshot[]>;
  /** Copies into `to.region`, re-encrypted with Codeblue's backup key of that Region. */
  copySnapshot(from: SnapshotRef, to: SnapshotRef): Promise<Snapshot>;
  /** Removing what is already gone is no error. @throws NotOwned, Locked */
  removeSnapshot(ref: SnapshotRef): Promise<void>;

  /** Restores into isolation: no route to production, credentials of its own. */
  restore(snapshot: SnapshotRef, request: RestoreRequest): Promise<RestoredDatabase>;
  /** Restores the live database's state at `time` (within the log window) into isolation. */
  restoreToTime(time: Date, request: RestoreRequest): Promise<RestoredDatabase>;
  describeRestored(ref: RestoredRef): Promise<RestoredDatabase | undefined>;
  listRestored(region: Region): Promise<readonly RestoredDatabase[]>;
  /** Starts removal; gone when `describeRestored` returns undefined. Removing what is gone is no error. @throws NotOwned */
  removeRestored(ref: RestoredRef): Promise<void>;
}

/**
 * Bytes-level judgement of a stored snapshot, before anything is restored: what the store itself can tell.
 * On RDS: status, encryption under the expected key, engine and size. In the lab: every byte against its checksums.
 */
export interface SnapshotIntegrity {
  /** Findings in words; empty when sound. */
  check(ref: SnapshotRef): Promise<readonly string[]>;
}

/** The inventory. Items are parsed on the way in and out. */
export interface RecoveryPoints {
  get(id: RecoveryPointId): Promise<RecoveryPoint | undefined>;
  /** All points of a database, newest request first, removed ones included. */
  list(databaseId: DatabaseId): Promise<readonly RecoveryPoint[]>;
  /** Inserts; @throws Conflict when the id exists. */
  add(point: RecoveryPoint): Promise<void>;
  /** Replaces if the stored `version` is `point.version`, stores `version + 1`. @returns what is stored now @throws Conflict */
  update(point: RecoveryPoint): Promise<RecoveryPoint>;
}

/** Manifests are objects beside the snapshots, one per Region that holds a copy. Encrypted, immutable, without patient data. */
export interface Manifests {
  /** Stores bytes under the id in a Region; storing the same again is no error. */
  put(region: Region, id: RecoveryPointId, manifest: Uint8Array): Promise<void>;
  get(region: Region, id: RecoveryPointId): Promise<Uint8Array | undefined>;
}

/** A copy that nobody, not even the account's administrator, can remove before its time (row B8). */
export interface Vault {
  /** Starts a locked copy of the live database; idempotent by id. @returns id of the vault's own recovery point or job */
  lock(request: { readonly region: Region; readonly databaseId: DatabaseId; readonly recoveryPointId: RecoveryPointId }): Promise<string>;
  list(region: Region, databaseId: DatabaseId): Promise<readonly LockedCopy[]>;
}

export interface LockedCopy {
  readonly copyId: string;
  readonly createdAt: Date;
  readonly status: 'creating' | 'available' | 'failed';
  /** Nobody can remove it before then; absent while the vault's lock is still being simulated. */
  readonly lockedUntil?: Date;
}

/** Backups of Codeblue's own tables (row B5). */
export interface StateBackups {
  /** The tables of state and of audit events. Every Region has a replica of them, so the Region that leads backs up its own. */
  replicatedTables(): readonly string[];
  /** The table of this Region's audit log, which is in no other Region. */
  logTable(): string;
  /** The replicated table that holds the audit events. */
  eventsTable(): string;
  /** Starts an on-demand backup; idempotent by name. */
  backup(table: string, name: string): Promise<TableBackup>;
  list(table: string): Promise<readonly TableBackup[]>;
  remove(table: string, name: string): Promise<void>;
  /** Starts a restore into a temporary table named `into`, owned and expiring. */
  restore(table: string, name: string, into: string): Promise<void>;
  describeRestored(into: string): Promise<'creating' | 'available' | 'absent'>;
  listRestored(): Promise<readonly { readonly into: string; readonly createdAt: Date }[]>;
  removeRestored(into: string): Promise<void>;
  /** Audit events as a restored copy of `eventsTable()` has them, read consistently. In no order; what it has not is left out. */
  restoredEvents(into: string, refs: readonly EventRef[]): Promise<readonly RecordedEvent[]>;
  /**
   * One stretch of the live table, as long as the store likes, against the restored one: its items last written at or before `until`.
   *
   * @param from where the stretch before it ended; the beginning when left out
   */
  compare(table: string, into: string, until: Date, from?: string): Promise<ComparedStretch>;
}

/** Items that were compared, and those of them that are missing or different in the restored table. */
export interface ComparedStretch {
  readonly compared: number;
  readonly missing: number;
  readonly different: number;
  /** Where the next stretch begins; absent after the last one. Made of keys, which name nobody. */
  readonly next?: string;
}

export interface TableBackup {
  readonly table: string;
  readonly name: string;
  readonly status: 'creating' | 'available' | 'failed';
  readonly createdAt: Date;
  readonly sizeBytes: number;
}
