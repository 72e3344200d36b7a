import { z } from 'zod';
import { timestamp } from '../common/ids.ts';
import type { Allowances } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export interface MemoryAllowances extends Allowances, Failable<Allowances> {}

export function memoryAllowances(store: ItemStore): MemoryAllowances {
  const counters = items(store, 'allowances', z.strictObject({ used: z.int().nonnegative() }));
  return failable<Allowances>({
    async take(name, minute, count, limit) {
      const key = `${name}/${timestamp(minute)}`;
      const stored = counters.get(key);
      const used = (stored?.value.used ?? 0) + count;
      if (used > limit) return false;
      counters.put(key, { used }, stored ? { version: stored.version } : 'absent');
      return true;
    },
  });
}
