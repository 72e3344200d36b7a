import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { RecordedEvent } from '../audit/ports.ts';
import type { StateBackups, TableBackup } from '../backup/ports.ts';
import type { Clock } from '../common/clock.ts';
import { Conflict, NotFound, NotOwned } from '../common/errors.ts';
import { type Region, Timestamp, timestamp } from '../common/ids.ts';
import { restoredTablePrefix } from '../common/names.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

/** Collections that make up each of the replicated tables. */
const replicated = { state: ['recovery-points', 'runs', 'proofs'], audit: ['audit-recorded'] } as const;
const logTable = 'audit-log';

/** An item of the table of one Region's log: the head is that Region's line among the heads of all. */
const inLogOf = (region: Region, collection: string, key: string): boolean => collection !== 'audit-heads' || key === region;
const logCollections = (region: Region): readonly string[] => [
  'audit-heads',
  ...['batches', 'leaves', 'places'].map((kind) => `audit-${kind}-${region}`),
];

const Contents = z.array(z.strictObject({ collection: z.string(), key: z.string(), value: z.json() }));
const BackupItem = z.strictObject({ table: z.string(), name: z.string(), createdAt: Timestamp, contents: Contents });
const RestoredTable = z.strictObject({ createdAt: Timestamp, contents: Contents });

export interface MemoryStateBackups extends StateBackups {
  /** Changes what a restored table holds: by this a test damages it. */
  alterRestored(into: string, change: (contents: z.output<typeof Contents>) => z.output<typeof Contents>): void;
}

/** Backups and restored tables of one Region are collections of the same store; both are complete at once, and no other Region sees them. */
export function memoryStateBackups(settings: {
  readonly deployment: { readonly name: string };
  readonly region: Region;
  readonly clock: Pick<Clock, 'now'>;
  readonly store: ItemStore;
  /** Of a comparison; all when left out. */
  readonly itemsAtATime?: number;
}): MemoryStateBackups {
  const { deployment, region, clock, store, itemsAtATime = Number.POSITIVE_INFINITY } = settings;
  const backups = items(store, `table-backups-${region}`, BackupItem);
  const restoredTables = `restored-tables-${region}`;
  const restored = items(store, restoredTables, RestoredTable);
  const tables = new Map<string, readonly string[]>([...Object.entries(replicated), [logTable, logCollections(region)]]);
  const collectionsOf = (table: string): readonly string[] => {
    const found = tables.get(table);
    if (!found) throw new NotFound(`there is no table ${table}`);
    return found;
  };
  const contentsOf = (table: string) =>
    collectionsOf(table).flatMap((collection) =>
      store
        .list(collection)
        .filter(({ key }) => inLogOf(region, collection, key))
        .map((item) => ({ ...item, collection })),
    );
  const assertOurs = (into: string): void => {
    if (!into.startsWith(restoredTablePrefix(deployment))) throw new NotOwned(`${into} is not a restored table of ${deployment.name}`);
  };
  const asBackup = (item: z.output<typeof BackupItem>): TableBackup => ({
    table: item.table,
    name: item.name,
    status: 'available',
    createdAt: new Date(item.createdAt),
    sizeBytes: JSON.stringify(item.contents).length,
  });

  return {
    replicatedTables: () => Object.keys(replicated),
    logTable: () => logTable,
    eventsTable: () => 'audit',
    async backup(table, name) {
      const existing = backups.get(`${table}/${name}`)?.value;
      if (existing) return asBackup(existing);
      const contents = Contents.parse(contentsOf(table).map(({ collection, key, value }) => ({ collection, key, value })));
      const item = { table, name, createdAt: timestamp(clock.now()), contents };
      backups.put(`${table}/${name}`, item, 'absent');
      return asBackup(item);
    },
    async list(table) {
      collectionsOf(table);
      return backups.list(`${table}/`).map(asBackup);
    },
    async remove(table, name) {
      backups.delete(`${table}/${name}`);
    },
    async restore(table, name, into) {
      assertOurs(into);
      const backup = backups.get(`${table}/${name}`)?.value;
      if (!backup) throw new NotFound(`there is no backup ${name} of ${table}`);
      if (!restored.get(into)) restored.put(into, { createdAt: timestamp(clock.now()), contents: backup.contents }, 'absent');
    },
    async describeRestored(into) {
      return restored.get(into) ? 'available' : 'absent';
    },
    async listRestored() {
      return store.list(restoredTables).map(({ key, value }) => ({ into: key, createdAt: new Date(RestoredTable.parse(value).createdAt) }));
    },
    async removeRestored(into) {
      assertOurs(into);
      restored.delete(into);
    },
    async restoredEvents(into, refs) {
      const contents = restored.get(into)?.value.contents;
      if (!contents) throw new NotFound(`there is no restored table ${into}`);
      const held = new Map(contents.filter(({ collection }) => collection === 'audit-recorded').map(({ key, value }) => [key, value]));
      return refs.flatMap((ref) => {
        const value = held.get(`${ref.region} ${ref.eventId}`);
        return value === undefined ? [] : [RecordedEvent.parse(value)];
      });
    },
    async compare(table, into, until, from = '0') {
      const copy = restored.get(into)?.value;
      if (!copy) throw new NotFound(`there is no restored table ${into}`);
      const held = new Map(copy.contents.map((item) => [`${item.collection}/${item.key}`, item.value]));
      const all = contentsOf(table);
      const end = Number(from) + itemsAtATime;
      const old = all.slice(Number(from), end).filter((item) => Date.parse(item.updatedAt) <= until.getTime());
      const keyed = old.map((item) => ({ key: `${item.collection}/${item.key}`, value: item.value }));
      const missing = keyed.filter(({ key }) => !held.has(key)).length;
      const different = keyed.filter(({ key, value }) => held.has(key) && !isDeepStrictEqual(held.get(key), value)).length;
      return { compared: keyed.length, missing, different, ...(end < all.length ? { next: String(end) } : {}) };
    },
    alterRestored(into, change) {
      const stored = restored.get(into)?.value;
      if (!stored) throw new Conflict(`there is no restored table ${into} to alter`);
      restored.put(into, { ...stored, contents: change(stored.contents) });
    },
  };
}
