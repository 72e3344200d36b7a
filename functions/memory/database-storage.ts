import { z } from 'zod';
import type { Clock } from '../common/clock.ts';
import { before, hours } from '../common/duration.ts';
import { InvalidInput, NotFound } from '../common/errors.ts';
import { type DatabaseId, type Region, Timestamp, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import type { DatabaseStorage } from '../incidents/runbooks/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

const Storage = z.strictObject({
  gigabytes: z.int().positive(),
  mostGigabytes: z.int().positive().optional(),
  status: z.string(),
  changedAt: Timestamp.optional(),
});
type Storage = z.output<typeof Storage>;

export interface MemoryDatabaseStorage extends DatabaseStorage, Failable<DatabaseStorage> {
  /** Changes facts, as somebody could in the console. */
  set(databaseId: DatabaseId, region: Region, facts: Partial<Storage>): void;
}

/** Storage of 100 GiB everywhere at first. A change goes on for as long as the status says so; here that is until `set`. */
export function memoryDatabaseStorage(settings: {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly store: ItemStore;
}): MemoryDatabaseStorage {
  const { operations, clock } = settings;
  const storages = items(settings.store, 'database-storage', Storage);
  const storageOf = (databaseId: DatabaseId, region: Region): Storage => {
    if (!databaseOf(operations, databaseId).sites[region]) throw new NotFound(`the config has no ${databaseId} in ${region}`);
    return storages.get(`${region}/${databaseId}`)?.value ?? { gigabytes: 100, status: 'available' };
  };
  const put = (databaseId: DatabaseId, region: Region, facts: Partial<Storage>): void =>
    storages.put(`${region}/${databaseId}`, { ...storageOf(databaseId, region), ...facts });

  const port = failable<DatabaseStorage>({
    async describe(databaseId, region) {
      const { gigabytes, mostGigabytes, status, changedAt } = storageOf(databaseId, region);
      const since = before(clock.now(), hours(6)).getTime();
      return {
        isAllocated: databaseOf(operations, databaseId).engine !== 'aurora-postgres',
        gigabytes,
        mostGigabytes,
        status,
        changedAt: changedAt !== undefined && Date.parse(changedAt) > since ? new Date(changedAt) : undefined,
      };
    },
    async enlarge(databaseId, region, gigabytes) {
      const storage = storageOf(databaseId, region);
      if (storage.gigabytes >= gigabytes) return;
      if (!['available', 'storage-full'].includes(storage.status))
        throw new InvalidInput(`the storage of ${databaseId} is ${storage.status}`);
      put(databaseId, region, { gigabytes, status: 'storage-optimization', changedAt: timestamp(clock.now()) });
    },
  });
  return Object.assign(port, { set: put });
}
