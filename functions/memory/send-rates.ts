import { Conflict } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { SendRate } from '../incidents/paging/pace.ts';
import type { SendRates } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export interface MemorySendRates extends SendRates, Failable<SendRates> {}

/** As one Region's functions have them. */
export function memorySendRates({ store, region }: { readonly store: ItemStore; readonly region: Region }): MemorySendRates {
  const rates = items(store, 'send-rates', SendRate);
  return failable<SendRates>({
    async get(method) {
      return rates.get(`${region}/${method}`)?.value ?? { at: [], version: 0 };
    },
    async put(method, rate) {
      const key = `${region}/${method}`;
      const stored = rates.get(key);
      if ((stored?.value.version ?? 0) !== rate.version) {
        throw new Conflict(`the rate of ${method} is at version ${stored?.value.version ?? 'none'}, not ${rate.version}`);
      }
      rates.put(key, { ...rate, version: rate.version + 1 }, stored ? { version: stored.version } : 'absent');
    },
  });
}
