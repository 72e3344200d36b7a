import type { SqlRow } from '../../verify/ports.ts';
import { rowHash } from '../../verify/row-hash.ts';
import { type Chunk, chunksOf, readOnce } from '../../verify/scan.ts';
import { qualified } from '../../verify/session.ts';
import { notArrived } from './arrivals.ts';
import { isSince } from './fork.ts';
import { givenKeys, hasGivenKey, here, keyOf, keyValues } from './key-columns.ts';
import { type BothSides, keyObject, type LostWrite, type TablePair } from './losing-table.ts';
import { required, rowsOf, wholeRows } from './row-query.ts';

/** Frozen rows of a server with fewer transactions than that are older than none of its numbers: see `fullXid`. */
const WRAPPED = 1n << 31n;

/**
 * Rows of the old primary that a transaction wrote which never arrived, in the order of their places. Adds the ids of those that
 * had begun before the cut to `straddling`: `deletedRows` must leave them out.
 *
 * @throws SqlFailed, ServiceUnavailable, InvalidInput (see `notArrived`)
 */
export async function* writtenRows(
  sides: BothSides,
  pair: TablePair,
  straddling: Set<string>,
  beforeChunk: () => void,
): AsyncGenerator<readonly LostWrite[]> {
  const hash = rowHash(pair.old, sides.functions.old);
  for (const chunk of chunksOf([pair.old])) {
    beforeChunk();
    const { xmins, next } = await xminsOf(sides, chunk);
    const missing = await notArrived(xmins, { fork: sides.fork, current: sides.current, next });
    for (const xmin of missing.straddling) straddling.add(xmin);
    const ids = [...missing.later, ...missing.straddling];
    if (ids.length === 0) continue;
    const where = [...placesOf(chunk), 'xmin = any ($1::xid[])'].join(' and ');
    for await (const rows of rowsOf(sides.old, wholeRows(pair.old, { hash, key: pair.key.old, where }), [ids])) {
      const written = next < WRAPPED ? rows : await withoutSameVersions(sides, pair, rows);
      yield await withKind(sides, pair, written);
    }
  }
}

function placesOf({ fromBlock, toBlock }: Chunk): readonly string[] {
  return [`ctid >= '(${fromBlock},0)'::tid`, ...(toBlock === undefined ? [] : [`ctid < '(${toBlock},0)'::tid`])];
}

/** Distinct `xmin` of the chunk's rows, and the old primary's next transaction id at that moment. */
async function xminsOf({ old }: BothSides, chunk: Chunk): Promise<{ readonly xmins: readonly string[]; readonly next: bigint }> {
  const [row] = required(
    await readOnce(
      old,
      `select string_agg(xmin, ' ') as xmins, pg_snapshot_xmax(pg_current_snapshot()) as next
       from (select distinct xmin::text as xmin from only ${qualified(chunk.table)} where ${placesOf(chunk).join(' and ')}) s`,
      [],
    ),
  );
  return { xmins: row?.xmins?.split(' ') ?? [], next: BigInt(row?.next ?? '0') };
}

/** Rows that the new primary has too, in the same place, under the same number and with the same content: frozen long before the cut. */
async function withoutSameVersions(
  { current, functions }: BothSides,
  pair: TablePair,
  rows: readonly SqlRow[],
): Promise<readonly SqlRow[]> {
  if (!pair.current) return rows;
  const hash = rowHash(pair.current, functions.current);
  const text = wholeRows(pair.current, { hash, key: [], where: 'ctid = any ($1::tid[])' });
  const version = ({ place, xmin, h1, h2 }: SqlRow): string => `${place} ${xmin} ${h1} ${h2}`;
  const there = required(await readOnce(current, `select place, xmin, h1, h2 from (${text}) s`, [rows.map(({ place }) => place ?? '')]));
  const same = new Set(there.map(version));
  return rows.filter((row) => !same.has(version(row)));
}

async function withKind(sides: BothSides, pair: TablePair, rows: readonly SqlRow[]): Promise<readonly LostWrite[]> {
  const keys = rows.map((row) => keyOf(pair.key.old, row));
  const there = await presentOnCurrent(sides, pair, keys);
  return rows.map((row, index) => {
    const since = there.get(index + 1);
    return {
      kind: since === undefined ? 'inserted' : 'updated',
      changedSince: since ?? false,
      key: keyObject(pair.key.old, keys[index] ?? []),
      contentHash: `${row.h1},${row.h2}`,
      whole: row.whole ?? '{}',
    };
  });
}

/** By place in `keys` (from 1), those that the new primary has: whether it wrote that row after the promotion. */
async function presentOnCurrent(
  { current, fork }: BothSides,
  pair: TablePair,
  keys: readonly (readonly string[])[],
): Promise<ReadonlyMap<number, boolean>> {
  const key = pair.key.current;
  if (!pair.current || key.length === 0 || keys.length === 0) return new Map();
  const text = `select given.place, ${isSince(fork, 'here.xmin')} as since from ${givenKeys(key)} join ${here(pair.current)} on ${hasGivenKey(key)}`;
  const rows = required(await readOnce(current, text, keyValues(key, keys)));
  return new Map(rows.map((row) => [Number(row.place), row.since === 't']));
}
