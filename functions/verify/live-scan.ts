import { SqlFailed } from '../common/sql-failed.ts';
import { type FluxEntry, hashId, packFlux, parseFlux } from './flux.ts';
import type { TableManifest } from './manifest.ts';
import type { SqlRow, SqlSession } from './ports.ts';
import { type HashFunctions, type RowHash, rowHash } from './row-hash.ts';
import { type Chunk, chunkRows, chunksOf, eachOn, isRecent, isTouched, type MultixactWindow, readOnce, reasonOf } from './scan.ts';
import { type TableShape, tableId } from './tables.ts';
import { add, noRows, subtract, type Totals, totalsOf } from './totals.ts';

/** More rows in flux than that, per database, and the rest is not listed. */
const FLUX_LIMIT = 200_000;
/** Largest list that one chunk may send, characters. */
const LIST_LIMIT = 16_000_000;

export interface LiveScan {
  readonly tables: readonly TableShape[];
  readonly sessions: readonly SqlSession[];
  readonly functions: HashFunctions;
  /** Exported snapshots: before the copy, and right after it. */
  readonly snapshotBefore: string;
  readonly snapshotAfter: string;
  readonly recent: { readonly from: string; readonly to: string };
  readonly multixacts: MultixactWindow;
}

interface Reading {
  readonly table: TableShape;
  readonly hash: RowHash;
  totals: Totals;
  flux: FluxEntry[];
  overflowed: boolean;
  unread: string | undefined;
}

/** Reads every table once under the first snapshot, then asks the second which keys of touched rows are still there. */
export async function scanLive(scan: LiveScan): Promise<readonly TableManifest[]> {
  const readings = new Map(
    scan.tables.map((table) => [
      tableId(table),
      {
        table,
        hash: rowHash(table, scan.functions),
        totals: noRows,
        flux: [],
        overflowed: false,
        unread: undefined,
      } satisfies Reading as Reading,
    ]),
  );
  let listed = 0;
  await eachOn(scan.sessions, chunksOf(scan.tables), async (chunk, session) => {
    const reading = readings.get(tableId(chunk.table));
    if (!reading || reading.unread !== undefined) return;
    const row = await readChunk(scan, reading, chunk, session);
    if (row === undefined) return;
    reading.totals = add(reading.totals, { count: row.count ?? '0', sum1: row.sum1 ?? '0', sum2: row.sum2 ?? '0' });
    if (reading.overflowed) return;
    const flux = row.too_long === 't' ? undefined : parseFlux(row.flux);
    if (flux === undefined || listed + flux.length > FLUX_LIMIT) {
      reading.overflowed = true;
      listed -= reading.flux.length;
      reading.flux = [];
    } else {
      listed += flux.length;
      reading.flux.push(...flux);
    }
  });
  const all = [...readings.values()];
  await eachOn(scan.sessions, all, (reading, session) => followTouched(scan, reading, session));
  return all.map(manifestOf);
}

async function readChunk(scan: LiveScan, reading: Reading, chunk: Chunk, session: SqlSession): Promise<SqlRow | undefined> {
  const { hash } = reading;
  const rows = chunkRows(chunk, hash, [`${isRecent(scan.recent)} as recent`, `${isTouched(scan.recent, scan.multixacts)} as touched`]);
  const list = `string_agg(concat(${hash.h1}, ',', ${hash.h2}, ',', coalesce((${hash.key})::text, '-'), ',', touched::int4 + 2 * recent::int4), ';')
    filter (where recent or touched)`;
  const found = await readOnce(
    session,
    `select count(*) as count, coalesce(sum(${hash.h1}), 0) as sum1, coalesce(sum(${hash.h2}), 0) as sum2, length(${list}) > ${LIST_LIMIT} as too_long,
       case when length(${list}) <= ${LIST_LIMIT} then ${list} end as flux,
       coalesce(pg_relation_filenode(${chunk.table.oid}), 0) as file_node
     from (${rows}) s`,
    [],
    scan.snapshotBefore,
  );
  if (found instanceof SqlFailed) {
    reading.unread = reasonOf(found);
    return undefined;
  }
  const [row] = found;
  if (row?.file_node !== chunk.table.fileNode) {
    reading.unread = 'it was rewritten or truncated while the manifest was taken';
    return undefined;
  }
  return row;
}

async function followTouched(scan: LiveScan, reading: Reading, session: SqlSession): Promise<void> {
  const touched = reading.flux.filter((entry) => entry.touched);
  if (touched.length === 0 || reading.unread !== undefined) return;
  if (reading.table.key.length === 0) return addTwins(scan, reading, touched, session);
  const whole: Chunk = { table: reading.table, fromBlock: 0, toBlock: undefined };
  const found = await readOnce(
    session,
    `select k from (select ${reading.hash.key} as k from (${chunkRows(whole, reading.hash, [])}) c offset 0) s where k = any ($1::int8[])`,
    [touched.map((entry) => String(entry.key))],
    scan.snapshotAfter,
  );
  if (found instanceof SqlFailed) {
    reading.unread = reasonOf(found);
    return;
  }
  const surviving = new Set(found.map((row) => row.k));
  reading.flux = reading.flux.map((entry) => (entry.touched ? { ...entry, survives: surviving.has(String(entry.key)) } : entry));
}

/**
 * Without a key a table can hold rows that are alike. The copy cannot tell a touched one from its untouched twins, so those go to the
 * list as well: counted under the same snapshot, less what is on it already. The copy must then have at least the twins.
 */
async function addTwins(scan: LiveScan, reading: Reading, touched: readonly FluxEntry[], session: SqlSession): Promise<void> {
  const whole: Chunk = { table: reading.table, fromBlock: 0, toBlock: undefined };
  const { h1, h2 } = reading.hash;
  const found = await readOnce(
    session,
    `select h1, h2, count(*) as copies from (select ${h1} as h1, ${h2} as h2 from (${chunkRows(whole, reading.hash, [])}) c offset 0) s
     where h1 = any ($1::int8[]) group by h1, h2`,
    [touched.map((entry) => String(entry.h1))],
    scan.snapshotBefore,
  );
  if (found instanceof SqlFailed) {
    reading.unread = reasonOf(found);
    return;
  }
  const copies = new Map(found.map((row) => [`${row.h1},${row.h2}`, Number(row.copies)]));
  const listed = new Map<string, number>();
  for (const entry of reading.flux) listed.set(hashId(entry), (listed.get(hashId(entry)) ?? 0) + 1);
  const seen = new Set<string>();
  for (const entry of touched) {
    const id = hashId(entry);
    if (seen.has(id)) continue;
    seen.add(id);
    const twins = (copies.get(id) ?? 0) - (listed.get(id) ?? 0);
    if (twins > 0) reading.flux.push({ ...entry, recent: false, touched: false, copies: twins });
    if (reading.flux.length > FLUX_LIMIT) {
      reading.overflowed = true;
      reading.flux = [];
      return;
    }
  }
}

function manifestOf(reading: Reading): TableManifest {
  return {
    schema: reading.table.schema,
    name: reading.table.name,
    rows: reading.totals.count,
    hasKey: reading.table.key.length > 0,
    stable: subtract(reading.totals, totalsOf(reading.flux)),
    flux: packFlux(reading.flux),
    overflowed: reading.overflowed,
    ...(reading.unread === undefined ? {} : { unread: reading.unread }),
  };
}
