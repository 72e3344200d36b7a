import { z } from 'zod';
import { parseAs } from '../common/parse.ts';
import type { ItemStore, Json, PutCondition } from './item-store.ts';

/** One collection of an item store with the schema that its items follow: parsed on the way in and on the way out. */
export interface Items<T> {
  get(key: string): { readonly value: T; readonly version: number } | undefined;
  /** @throws Conflict, InvalidInput */
  put(key: string, value: T, condition?: PutCondition): void;
  delete(key: string): boolean;
  list(prefix?: string): readonly T[];
}

export function items<S extends z.ZodType>(store: ItemStore, collection: string, schema: S): Items<z.output<S>> {
  return {
    get(key) {
      const found = store.get(collection, key);
      return found && { value: parseAs(schema, found.value, `${collection}/${key}`), version: found.version };
    },
    put(key, value, condition) {
      store.put(collection, key, toJson(parseAs(schema, value, `${collection}/${key}`)), condition);
    },
    delete: (key) => store.delete(collection, key),
    list: (prefix) => store.list(collection, prefix).map((item) => parseAs(schema, item.value, `${collection}/${item.key}`)),
  };
}

/** The value as JSON: what JSON leaves out (`undefined`) is left out. */
export const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value));

/** Bytes as they stand in a JSON item. */
export const Base64Bytes = z.strictObject({ base64: z.base64() });
