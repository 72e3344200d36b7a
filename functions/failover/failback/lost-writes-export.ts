import type { Region } from '../../common/ids.ts';
import type { Reports } from '../ports.ts';
import { type LostWrite, lineOf } from './losing-table.ts';

/** An object of the export is stored when it reaches this size; a table with more has several. */
const OBJECT_BYTES = 8 * 1024 * 1024;

export interface LostWritesExport {
  keep(table: string, writes: readonly LostWrite[]): Promise<void>;
  /** Stores what is left of the table. @returns the keys of all its objects */
  finish(table: string): Promise<readonly string[]>;
}

/**
 * Lost rows as NDJSON objects, one per table and 8 MB, in the evidence bucket of a Region: encrypted and immutable, so each run writes below a
 * `prefix` of its own. The lines are patients' data and go nowhere else.
 */
export function exportLostWrites(reports: Reports, region: Region, prefix: string): LostWritesExport {
  let lines: Buffer[] = [];
  let bytes = 0;
  let keys: string[] = [];
  const store = async (table: string): Promise<void> => {
    const part = String(keys.length + 1).padStart(4, '0');
    const key = `${prefix}/${encodeURIComponent(table)}-${part}.ndjson`;
    await reports.put(region, key, Buffer.concat(lines), 'application/x-ndjson');
    keys.push(key);
    lines = [];
    bytes = 0;
  };
  return {
    async keep(table, writes) {
      for (const write of writes) {
        const line = Buffer.from(lineOf(write));
        lines.push(line);
        bytes += line.length;
        if (bytes >= OBJECT_BYTES) await store(table);
      }
    },
    async finish(table) {
      if (lines.length > 0) await store(table);
      const stored = keys;
      keys = [];
      return stored;
    },
  };
}
