import { ServiceUnavailable } from '../common/errors.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import { type FluxEntry, hashId, packFlux, parseFlux, unpackFlux } from './flux.ts';
import type { TableInspection } from './inspection.ts';
import type { DatabaseManifest } from './manifest.ts';
import type { SqlRow, SqlSession } from './ports.ts';
import { type HashFunctions, type RowHash, rowHash } from './row-hash.ts';
import { type Chunk, chunkRows, chunksOf, eachOn, isRecent, readOnce, reasonOf } from './scan.ts';
import { type TableShape, tableId } from './tables.ts';
import { add, noRows, subtract, totalsOf } from './totals.ts';

/** Recent rows of one table that are held for the comparison; a bulk load during the backup can exceed it. */
const RECENT_LIMIT = 400_000;
const LIST_LIMIT = 16_000_000;

interface Reading {
  readonly table: TableShape;
  readonly hash: RowHash;
  /** h1 of the rows that the manifest lists as touched. */
  readonly touched: readonly string[];
  readonly touchedIds: ReadonlySet<string>;
  total: { count: string; sum1: string; sum2: string };
  recent: FluxEntry[];
  matched: FluxEntry[];
  overflowed: boolean;
  unread: string | undefined;
}

export interface CopyScan {
  readonly tables: readonly TableShape[];
  readonly sessions: readonly SqlSession[];
  readonly functions: HashFunctions;
  readonly manifest: DatabaseManifest | undefined;
  /** Exported snapshot to read under, where the copy is one that changes: a replica. */
  readonly snapshot?: string | undefined;
}

/** Replay on a standby ends what stands in its way (a serialization failure): that says nothing about the copy. */
const CANCELLED_BY_REPLAY = '40001';

/**
 * Reads every table of a restored copy once. Damage to one table is told with that table and does not end the scan.
 * @throws ServiceUnavailable when the copy is a replica and its replay cancelled a query
 */
export async function scanCopy(scan: CopyScan): Promise<readonly TableInspection[]> {
  const listed = new Map(scan.manifest?.tables.map((table) => [tableId(table), table]));
  const readings = new Map<string, Reading>();
  for (const table of scan.tables) {
    const flux = listed.get(tableId(table))?.flux;
    const touched = flux === undefined ? [] : unpackFlux(flux).filter((entry) => entry.touched);
    readings.set(tableId(table), {
      table,
      hash: rowHash(table, scan.functions),
      touched: touched.map((entry) => String(entry.h1)),
      touchedIds: new Set(touched.map(hashId)),
      total: noRows,
      recent: [],
      matched: [],
      overflowed: false,
      unread: undefined,
    });
  }
  await eachOn(scan.sessions, chunksOf(scan.tables), async (chunk, session) => {
    const reading = readings.get(tableId(chunk.table));
    if (reading && reading.unread === undefined) await readChunk(scan, reading, chunk, session);
  });
  return [...readings.values()].map(inspectionOf);
}

async function readChunk(scan: CopyScan, reading: Reading, chunk: Chunk, session: SqlSession): Promise<void> {
  const found = await readOnce(
    session,
    chunkQuery(scan, reading, chunk),
    reading.touched.length > 0 ? [reading.touched] : [],
    scan.snapshot,
  );
  if (found instanceof SqlFailed) {
    if (found.sqlState === CANCELLED_BY_REPLAY) throw new ServiceUnavailable(`the replica cancelled a query: ${found.message}`);
    reading.unread = reasonOf(found);
    return;
  }
  const [row] = found;
  reading.total = add(reading.total, { count: row?.count ?? '0', sum1: row?.sum1 ?? '0', sum2: row?.sum2 ?? '0' });
  if (row) keepLists(reading, row);
}

function keepLists(reading: Reading, row: SqlRow): void {
  if (reading.overflowed) return;
  if (row.too_long === 't') reading.overflowed = true;
  else {
    reading.recent.push(...parseFlux(row.recent));
    // PostgreSQL went by the first hash alone; a row that shares only that one is settled after all.
    reading.matched.push(...parseFlux(row.matched).filter((entry) => reading.touchedIds.has(hashId(entry))));
    reading.overflowed = reading.recent.length + reading.matched.length > RECENT_LIMIT;
  }
  if (reading.overflowed) {
    reading.recent = [];
    reading.matched = [];
  }
}

function chunkQuery(scan: CopyScan, reading: Reading, chunk: Chunk): string {
  const { hash, touched } = reading;
  const totals = (h1: string, h2: string): string => `count(*) as count, coalesce(sum(${h1}), 0) as sum1, coalesce(sum(${h2}), 0) as sum2`;
  if (!scan.manifest) return `select ${totals(hash.h1, hash.h2)} from (${chunkRows(chunk, hash, [])}) s`;
  const rows = chunkRows(chunk, hash, [`${isRecent(scan.manifest.recent)} as recent`]);
  const list = (h1: string, h2: string, key: string, flags: number, where: string): string =>
    `string_agg(concat(${h1}, ',', ${h2}, ',', coalesce((${key})::text, '-'), ',${flags}'), ';') filter (where ${where})`;
  if (touched.length === 0) {
    const recent = list(hash.h1, hash.h2, hash.key, 2, 'recent');
    return `select ${totals(hash.h1, hash.h2)}, length(${recent}) > ${LIST_LIMIT} as too_long,
      case when length(${recent}) <= ${LIST_LIMIT} then ${recent} end as recent, null as matched from (${rows}) s`;
  }
  // The fence works each hash out once: here every row's is compared with the list.
  const hashed = `select ${hash.h1} as h1, ${hash.h2} as h2, ${hash.key} as key, recent from (${rows}) r offset 0`;
  const recent = list('h1', 'h2', 'key', 2, 'recent');
  const matched = list('h1', 'h2', 'key', 1, 'not recent and h1 = any ($1::int8[])');
  const tooLong = `(coalesce(length(${recent}), 0) + coalesce(length(${matched}), 0) > ${LIST_LIMIT})`;
  return `select ${totals('h1', 'h2')}, ${tooLong} as too_long, case when not ${tooLong} then ${recent} end as recent,
    case when not ${tooLong} then ${matched} end as matched from (${hashed}) s`;
}

function inspectionOf(reading: Reading): TableInspection {
  return {
    schema: reading.table.schema,
    name: reading.table.name,
    total: reading.total,
    settled: subtract(reading.total, totalsOf([...reading.recent, ...reading.matched])),
    recent: packFlux(reading.recent),
    matched: packFlux(reading.matched),
    overflowed: reading.overflowed,
    ...(reading.unread === undefined ? {} : { unread: reading.unread }),
  };
}
