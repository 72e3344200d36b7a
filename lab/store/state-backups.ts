import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { RecordedEvent } from '../../functions/audit/ports.ts';
import type { StateBackups, TableBackup } from '../../functions/backup/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import { NotFound } from '../../functions/common/errors.ts';
import { type Region, Timestamp } from '../../functions/common/ids.ts';
import type { ItemStore, Json } from '../../functions/memory/item-store.ts';

const Item = z.strictObject({ key: z.string(), updatedAt: Timestamp, value: z.json() });
const Backup = z.strictObject({ table: z.string(), name: z.string(), createdAt: Timestamp, items: z.array(Item) });
const RestoredTable = z.strictObject({ into: z.string(), createdAt: Timestamp, items: z.array(Item) });

/** Each a collection of the same name. */
const replicatedTables = ['recovery-points', 'audit-recorded'] as const;
const logTable = 'audit-log';

/**
 * Backups of Codeblue's own state in one region. The replicated tables are collections of `live`, the table of the region's log is those of its collections that are the region's
 * alone; backups and restored tables lie in `store`, another place, so that losing the first does not lose the second.
 */
export function labStateBackups(live: ItemStore, store: ItemStore, region: Region, clock: Clock): StateBackups {
  const now = (): Timestamp => Timestamp.parse(clock.now().toISOString());
  const backups = `backups-${region}`;
  const restoredTables = `restored-${region}`;
  const collection = (name: string, inKey = '') =>
    live.list(name).map(({ key, updatedAt, value }) => Item.parse({ key: `${inKey}${key}`, updatedAt, value }));
  const itemsOf = (table: string) =>
    table === logTable
      ? [
          ...collection('audit-heads', 'head/').filter(({ key }) => key === `head/${region}`),
          ...['batches', 'leaves', 'places'].flatMap((kind) => collection(`audit-${kind}-${region}`, `${kind}/`)),
        ]
      : collection(table);
  const find = (table: string, name: string) => {
    const found = store.get(backups, `${table}/${name}`);
    return found && Backup.parse(found.value);
  };
  return {
    replicatedTables: () => replicatedTables,
    logTable: () => logTable,
    eventsTable: () => 'audit-recorded',
    async backup(table, name) {
      const stored = find(table, name);
      if (stored) return described(stored);
      const backup = Backup.parse({ table, name, createdAt: now(), items: itemsOf(table) });
      store.put(backups, `${table}/${name}`, plain(backup), 'absent');
      return described(backup);
    },
    list: async (table) => store.list(backups, `${table}/`).map(({ value }) => described(Backup.parse(value))),
    async remove(table, name) {
      store.delete(backups, `${table}/${name}`);
    },
    async restore(table, name, into) {
      if (store.get(restoredTables, into)) return;
      const backup = find(table, name);
      if (!backup) throw new NotFound(`there is no backup ${name} of table ${table}`);
      store.put(restoredTables, into, plain({ into, createdAt: now(), items: backup.items }), 'absent');
    },
    describeRestored: async (into) => (store.get(restoredTables, into) ? 'available' : 'absent'),
    listRestored: async () =>
      store.list(restoredTables).map(({ value }) => {
        const { into, createdAt } = RestoredTable.parse(value);
        return { into, createdAt: new Date(createdAt) };
      }),
    async removeRestored(into) {
      store.delete(restoredTables, into);
    },
    async restoredEvents(into, refs) {
      const restored = store.get(restoredTables, into);
      if (!restored) throw new NotFound(`there is no restored table ${into}`);
      const inCopy = new Map(RestoredTable.parse(restored.value).items.map((item) => [item.key, item.value]));
      return refs.flatMap((ref) => {
        const value = inCopy.get(`${ref.region} ${ref.eventId}`);
        return value === undefined ? [] : [RecordedEvent.parse(value)];
      });
    },
    async compare(table, into, until) {
      const restored = store.get(restoredTables, into);
      if (!restored) throw new NotFound(`there is no restored table ${into}`);
      const inCopy = new Map(RestoredTable.parse(restored.value).items.map((item) => [item.key, item.value]));
      const settled = itemsOf(table).filter(({ updatedAt }) => Date.parse(updatedAt) <= until.getTime());
      const missing = settled.filter(({ key }) => !inCopy.has(key)).length;
      const different = settled.filter(({ key, value }) => inCopy.has(key) && !isDeepStrictEqual(inCopy.get(key), value)).length;
      return { compared: settled.length, missing, different };
    },
  };
}

const plain = (value: unknown): Json => z.json().parse(value);

function described({ table, name, createdAt, items }: z.output<typeof Backup>): TableBackup {
  return { table, name, status: 'available', createdAt: new Date(createdAt), sizeBytes: Buffer.byteLength(JSON.stringify(items)) };
}
