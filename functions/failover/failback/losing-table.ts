import type { SqlSession } from '../../verify/ports.ts';
import type { HashFunctions } from '../../verify/row-hash.ts';
import type { TableShape } from '../../verify/tables.ts';
import type { Fork } from './fork.ts';
import type { KeyColumn } from './key-columns.ts';

/** Sessions of both sides, in one database. */
export interface BothSides {
  /** The old primary: readable, fenced, its application tables stand still. */
  readonly old: SqlSession;
  /** The primary of now, which is being written. */
  readonly current: SqlSession;
  readonly functions: { readonly old: HashFunctions; readonly current: HashFunctions };
  readonly fork: Fork;
}

/** A table of the old primary and what became of it on the new one. */
export interface TablePair {
  readonly old: TableShape;
  /** Undefined where the new primary has no such table. */
  readonly current: TableShape | undefined;
  /** Columns that tell rows apart, with their types on either side; empty where there are none that both sides have. */
  readonly key: { readonly old: readonly KeyColumn[]; readonly current: readonly KeyColumn[] };
}

/**
 * One write that nobody else got. `whole` is the row as JSON text: a patient's data, for the encrypted export and nothing else.
 *
 * `inserted` and `updated` are told apart by whether the new primary has the key; the key of a row that it has deleted since looks inserted. Without a
 * key an update is a deletion of the old content and an insertion of the new one. `changedSince`: the new primary has written that row too, so that
 * somebody must decide between the two.
 */
export interface LostWrite {
  readonly kind: 'inserted' | 'updated' | 'deleted';
  readonly changedSince: boolean;
  /** By column; undefined in a table without a key. */
  readonly key: Readonly<Record<string, string>> | undefined;
  /** Both content hashes of the row. */
  readonly contentHash: string;
  readonly whole: string;
}

/** One line of the export. JSON columns may be written over several lines: outside of strings a line feed is but a space. */
export function lineOf({ kind, changedSince, key, contentHash, whole }: LostWrite): string {
  const identity = key === undefined ? `"contentHash":${JSON.stringify(contentHash)}` : `"key":${JSON.stringify(key)}`;
  return `{"kind":"${kind}","changedSince":${changedSince},${identity},"row":${whole.replace(/[\r\n]/g, ' ')}}\n`;
}

export const keyObject = (columns: readonly KeyColumn[], values: readonly string[]): Readonly<Record<string, string>> | undefined =>
  columns.length === 0 ? undefined : Object.fromEntries(columns.map(({ name }, index) => [name, values[index] ?? '']));
