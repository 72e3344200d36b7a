import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../functions/common/clock.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import { Timestamp, timestamp } from '../../functions/common/ids.ts';
import { assertCondition, type ItemStore, type StoredItem } from '../../functions/memory/item-store.ts';
import { withFileLock } from './file-lock.ts';

/** One line of a collection's file. `value` is absent when the item was deleted. */
const Line = z.strictObject({ key: z.string(), version: z.int().positive(), updatedAt: Timestamp, value: z.json().optional() });
type Line = z.output<typeof Line>;

const NEWLINE = 0x0a;

/**
 * An item store that several processes share: a file per collection, a line per write, the last line of a key counts. Writers hold
 * a lock while they check their condition and append; readers need none, they read on from where they were and take whole lines only.
 */
export function fileItemStore(dir: string, clock: Pick<Clock, 'now'>): ItemStore {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const collections = new Map<string, Collection>();
  const collectionOf = (name: string): Collection => {
    if (!/^[a-z0-9][a-z0-9-]{0,100}$/.test(name)) throw new InvalidInput(`"${name}" cannot be the name of a collection`);
    const found = collections.get(name) ?? new Collection(join(dir, `${name}.jsonl`));
    collections.set(name, found);
    return found;
  };
  return {
    get(name, key) {
      return collectionOf(name).read().get(key);
    },
    put(name, key, value, condition) {
      const collection = collectionOf(name);
      return withFileLock(collection.lockPath, () => {
        const stored = collection.read().get(key)?.version;
        assertCondition(name, key, stored, condition);
        const version = (stored ?? 0) + 1;
        collection.append({ key, version, updatedAt: timestamp(clock.now()), value: z.json().parse(value) });
        return version;
      });
    },
    delete(name, key) {
      const collection = collectionOf(name);
      return withFileLock(collection.lockPath, () => {
        const stored = collection.read().get(key);
        if (stored) collection.append({ key, version: stored.version, updatedAt: timestamp(clock.now()) });
        return stored !== undefined;
      });
    },
    list(name, prefix = '') {
      return [...collectionOf(name).read().values()].filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1));
    },
  };
}

class Collection {
  readonly #path: string;
  readonly #items = new Map<string, StoredText>();
  #readTo = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get lockPath(): string {
    return `${this.#path}.lock`;
  }

  /** The items as they are now. Values are fresh objects: nobody can change a stored one. */
  read(): ReadonlyItems {
    this.#catchUp();
    const items = this.#items;
    const item = (key: string): StoredItem | undefined => {
      const found = items.get(key);
      return found && { key, version: found.version, updatedAt: found.updatedAt, value: JSON.parse(found.text) };
    };
    return { get: item, values: () => [...items.keys()].flatMap((key) => item(key) ?? []) };
  }

  /** Only with the lock held. */
  append(line: Line): void {
    const file = openSync(this.#path, 'a', 0o600);
    try {
      // A writer that was killed in the middle of a line leaves a piece of it: cut off before the next one.
      if (fstatSync(file).size > this.#readTo) ftruncateSync(file, this.#readTo);
      writeSync(file, Buffer.from(`${JSON.stringify(line)}\n`));
    } finally {
      closeSync(file);
    }
  }

  #catchUp(): void {
    if (!existsSync(this.#path)) return;
    const file = openSync(this.#path, 'r');
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#readTo));
      readSync(file, bytes, 0, bytes.length, this.#readTo);
      const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
      for (const text of whole.toString('utf8').split('\n')) if (text !== '') this.#apply(Line.parse(JSON.parse(text)));
      this.#readTo += whole.length;
    } finally {
      closeSync(file);
    }
  }

  #apply({ key, version, updatedAt, value }: Line): void {
    if (value === undefined) this.#items.delete(key);
    else this.#items.set(key, { text: JSON.stringify(value), version, updatedAt });
  }
}

interface ReadonlyItems {
  get(key: string): StoredItem | undefined;
  values(): readonly StoredItem[];
}

interface StoredText {
  readonly text: string;
  readonly version: number;
  readonly updatedAt: Timestamp;
}
