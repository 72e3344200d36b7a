import { z } from 'zod';
import { type Region, timestamp } from '../common/ids.ts';
import type { Allowances } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export interface MemoryAllowances extends Allowances, Failable<Allowances> {}

/** The counters of one Region. */
export function memoryAllowances({ store, region }: { readonly store: ItemStore; readonly region: Region }): MemoryAllowances {
  const counters = items(store, 'allowances', z.strictObject({ used: z.int().nonnegative() }));
  return failable<Allowances>({
    async take(name, minute, count, limit) {
      const key = `${region}/${name}/${timestamp(minute)}`;
      const stored = counters.get(key);
      const used = (stored?.value.used ?? 0) + count;
      if (used > limit) return false;
      counters.put(key, { used }, stored ? { version: stored.version } : 'absent');
      return true;
    },
  });
}
