import { z } from 'zod';
import type { DatabaseId, Region } from '../common/ids.ts';
import type { NetworkFence } from '../failover/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

/** Rules of the application in a modelled security group: its servers, its workers. */
const applicationRules = 2;

export interface MemoryNetworkFence extends NetworkFence, Failable<NetworkFence> {
  isIsolated(databaseId: DatabaseId, region: Region): boolean;
}

export function memoryNetworkFence(store: ItemStore): MemoryNetworkFence {
  const isolated = items(store, 'network-fence', z.strictObject({ rules: z.int() }));
  const keyOf = (databaseId: DatabaseId, region: Region) => `${region}/${databaseId}`;
  const port = failable<NetworkFence>({
    async isolate(databaseId, region) {
      const key = keyOf(databaseId, region);
      if (isolated.get(key)) return 0;
      isolated.put(key, { rules: applicationRules });
      return applicationRules;
    },
    async restore(databaseId, region) {
      const key = keyOf(databaseId, region);
      const taken = isolated.get(key)?.value.rules ?? 0;
      isolated.delete(key);
      return taken;
    },
  });
  return Object.assign(port, {
    isIsolated: (databaseId: DatabaseId, region: Region) => isolated.get(keyOf(databaseId, region)) !== undefined,
  });
}
