import type { CanaryState } from './canary.ts';
import type { SchemaObject, SequenceState } from './manifest.ts';
import type { Totals } from './totals.ts';

/** What one question about an object of the copy found: a count of offences, or why it could not be asked. */
export interface Answer {
  readonly name: string;
  /** Rows or entries that break the rule; undefined where it could not be asked. */
  readonly offences: number | undefined;
  /** Why it was not asked, or what PostgreSQL said. */
  readonly reason?: string;
  /** `skipped` does not count against the copy; `error` does. */
  readonly outcome: 'asked' | 'skipped' | 'error';
}

export interface TableInspection {
  readonly schema: string;
  readonly name: string;
  /** All rows. */
  readonly total: Totals;
  /** With a manifest: rows that are neither recent nor, by their hash, on the manifest's list of touched rows. */
  readonly settled: Totals;
  /** Packed like the manifest's flux: rows in the recent window. */
  readonly recent: string;
  /** Packed: settled rows whose hash is on the list of touched rows. */
  readonly matched: string;
  /** More recent rows than can be held. */
  readonly overflowed: boolean;
  /** Why it could not be read to the end: PostgreSQL's words about damage, or a lock. */
  readonly unread?: string;
}

export interface DatabaseInspection {
  readonly name: string;
  readonly encoding: string;
  readonly collation: string;
  readonly identity: string | undefined;
  readonly canary: CanaryState | undefined;
  readonly schema: readonly SchemaObject[];
  readonly tables: readonly TableInspection[];
  readonly unlogged: readonly string[];
  readonly sequences: readonly SequenceState[];
  readonly foreignKeys: readonly Answer[];
  readonly indexes: readonly Answer[];
  readonly constraints: readonly Answer[];
  readonly invariants: readonly (Answer & { readonly says: string })[];
  /** What went wrong outside any one table: a catalog that cannot be read. */
  readonly errors: readonly string[];
}

/** Everything that was found in a restored copy. Judged by `judge`, which is pure. Holds counts, names and hashes: no value of any row. */
export interface Inspection {
  readonly serverVersion: string;
  readonly inspectedAt: Date;
  readonly databases: readonly DatabaseInspection[];
}
