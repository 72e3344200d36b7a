import { z } from 'zod';
import type { Vault } from '../backup/ports.ts';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { DatabaseId, Timestamp, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { assertCanLead } from '../common/operations-lookup.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

const LockedItem = z.strictObject({
  databaseId: DatabaseId,
  createdAt: Timestamp,
  availableAt: Timestamp,
  lockedUntil: Timestamp.optional(),
});

/** A copy takes ten minutes; it is locked from its start when the deployment's lock is in compliance mode. */
export function memoryVault({ operations, clock, store }: { operations: Operations; clock: Clock; store: ItemStore }): Vault {
  const copies = items(store, 'locked-copies', LockedItem);
  return {
    async lock({ region, databaseId, recoveryPointId }) {
      assertCanLead(operations, region);
      const key = `${region}/${recoveryPointId}`;
      if (copies.get(key)) return key;
      const now = clock.now();
      const lockedUntil = operations.vaultLock.mode === 'compliance' ? timestamp(after(now, operations.vaultLock.minRetention)) : undefined;
      copies.put(key, { databaseId, createdAt: timestamp(now), availableAt: timestamp(after(now, seconds(600))), lockedUntil }, 'absent');
      return key;
    },
    async list(region, databaseId) {
      const now = clock.now().getTime();
      return store.list('locked-copies', `${region}/`).flatMap(({ key }) => {
        const copy = copies.get(key)?.value;
        if (copy?.databaseId !== databaseId) return [];
        return [
          {
            copyId: key,
            createdAt: new Date(copy.createdAt),
            status: Date.parse(copy.availableAt) <= now ? ('available' as const) : ('creating' as const),
            ...(copy.lockedUntil ? { lockedUntil: new Date(copy.lockedUntil) } : {}),
          },
        ];
      });
    },
  };
}
