import type { Clock } from '../common/clock.ts';
import { Conflict } from '../common/errors.ts';
import { type Timestamp, timestamp } from '../common/ids.ts';

/** What an item may hold: JSON, so that a store of files keeps exactly what a store in memory keeps. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface StoredItem {
  readonly key: string;
  /** Parsed JSON of unknown shape: the reader parses it with the schema of its collection. */
  readonly value: unknown;
  /** 1 when first written, raised by each write. */
  readonly version: number;
  /** Time of the last write, by the store's clock: comparing a restored table with the live one builds on it. */
  readonly updatedAt: Timestamp;
}

/** `absent`: write only if there is no such item. `{version}`: only if the stored version is this one. */
export type PutCondition = 'absent' | { readonly version: number };

/**
 * A small store of JSON items with conditional writes. Synchronous, so that a condition and its write are one step for
 * everybody in this process; an implementation that several processes share must make them one step across processes.
 */
export interface ItemStore {
  get(collection: string, key: string): StoredItem | undefined;
  /** @returns the version now stored @throws Conflict when the condition does not hold; nothing is written then */
  put(collection: string, key: string, value: Json, condition?: PutCondition): number;
  /** @returns false when there was no such item */
  delete(collection: string, key: string): boolean;
  /** Items whose key starts with `prefix`, ascending by key (UTF-16 code units, as `<` compares strings). */
  list(collection: string, prefix?: string): readonly StoredItem[];
}

/** @throws Conflict when `condition` does not hold for the version stored now (`undefined`: no such item) */
export function assertCondition(collection: string, key: string, stored: number | undefined, condition: PutCondition | undefined): void {
  if (condition === undefined) return;
  if (condition === 'absent') {
    if (stored !== undefined) throw new Conflict(`${collection}/${key} exists already`);
    return;
  }
  if (stored !== condition.version) {
    throw new Conflict(`${collection}/${key} is at version ${stored ?? 'none'}, not ${condition.version}`);
  }
}

/** Keeps text, not objects: nobody can change a stored value by changing what they passed in or were given. */
export function memoryItemStore(clock: Pick<Clock, 'now'>): ItemStore {
  const collections = new Map<string, Map<string, Stored>>();
  const itemsOf = (collection: string): Map<string, Stored> => {
    const items = collections.get(collection) ?? new Map<string, Stored>();
    collections.set(collection, items);
    return items;
  };
  const read = (key: string, { text, version, updatedAt }: Stored): StoredItem => ({ key, value: JSON.parse(text), version, updatedAt });
  return {
    get(collection, key) {
      const found = itemsOf(collection).get(key);
      return found && read(key, found);
    },
    put(collection, key, value, condition) {
      const items = itemsOf(collection);
      const stored = items.get(key)?.version;
      assertCondition(collection, key, stored, condition);
      const version = (stored ?? 0) + 1;
      items.set(key, { text: JSON.stringify(value), version, updatedAt: timestamp(clock.now()) });
      return version;
    },
    delete: (collection, key) => itemsOf(collection).delete(key),
    list(collection, prefix = '') {
      return [...itemsOf(collection)]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, found]) => read(key, found));
    },
  };
}

interface Stored {
  readonly text: string;
  readonly version: number;
  readonly updatedAt: Timestamp;
}
