import type { Clock } from '../../common/clock.ts';
import { ServiceUnavailable } from '../../common/errors.ts';
import { SqlFailed } from '../../common/sql-failed.ts';
import type { SqlServer } from '../../verify/ports.ts';
import { hashFunctionsOf } from '../../verify/row-hash.ts';
import { DeadlinePassed, reasonOf } from '../../verify/scan.ts';
import { LOCK_SECONDS, openSession } from '../../verify/session.ts';
import { listTables, type TableShape, tableId } from '../../verify/tables.ts';
import { requireMemoryOf } from './arrivals.ts';
import { deletedRows, TooManyDifferences } from './deleted-rows.ts';
import { type Fork, isSince } from './fork.ts';
import { keyColumnsOf } from './key-columns.ts';
import type { BothSides, LostWrite, TablePair } from './losing-table.ts';
import type { TableLosses } from './models.ts';
import { writtenRows } from './old-rows.ts';

export interface LostWritesRequest {
  readonly old: SqlServer;
  readonly current: SqlServer;
  readonly databaseName: string;
  readonly fork: Fork;
  /** Goes on after this `schema.table`. */
  readonly after?: string | undefined;
  readonly deadline: Date;
  readonly clock: Clock;
  /** Is given every lost write, a few rows at a time; all of one table before the next. */
  keep(table: string, writes: readonly LostWrite[]): Promise<void>;
}

/**
 * Finds what only the old primary has (row F8), table by table in the order of their names, in bounded memory. The old primary stands still and the
 * new one is being written: each row of the new one is judged by its own version, so it does not matter when it is read.
 *
 * Not told: sequences, DDL, and a row that the old primary deleted and the new one has changed since.
 *
 * @throws DeadlinePassed, ServiceUnavailable (a server is gone, a table is locked), InvalidInput (too long ago)
 */
export async function* lostWrites(request: LostWritesRequest): AsyncGenerator<TableLosses> {
  const { databaseName: name, fork, deadline, clock, after = '' } = request;
  const statementSeconds = (deadline.getTime() - clock.now().getTime()) / 1000;
  if (statementSeconds <= 0) throw new DeadlinePassed('listing lost writes');
  const old = await openSession(request.old, name, { statementSeconds, lockSeconds: LOCK_SECONDS });
  try {
    const current = await openSession(request.current, name, { statementSeconds, lockSeconds: LOCK_SECONDS });
    try {
      await requireMemoryOf(fork, current);
      const functions = { old: await hashFunctionsOf(old), current: await hashFunctionsOf(current) };
      const sides: BothSides = { old, current, functions, fork };
      for (const { id, old: mine, current: theirs } of await allTables(sides)) {
        if (id <= after) continue;
        if (mine) yield await ofTable(sides, await pairOf(sides, mine, theirs), request);
        else if (theirs) yield* ofDropped(sides, theirs);
      }
    } finally {
      await current.close();
    }
  } finally {
    await old.close();
  }
}

interface Named {
  readonly id: string;
  readonly old: TableShape | undefined;
  readonly current: TableShape | undefined;
}

/** Tables of either side by name. Materialized views hold nothing that their tables do not. */
async function allTables({ old, current }: BothSides): Promise<readonly Named[]> {
  const [mine, theirs] = (await Promise.all([listTables(old), listTables(current)])).map(
    (tables) => new Map(tables.filter(({ kind }) => kind === 'table').map((table) => [tableId(table), table])),
  );
  const ids = [...new Set([...(mine?.keys() ?? []), ...(theirs?.keys() ?? [])])].sort();
  return ids.map((id) => ({ id, old: mine?.get(id), current: theirs?.get(id) }));
}

/** The same table on both sides is one with the same oid: both were born in one history. */
async function pairOf({ old, current }: BothSides, mine: TableShape, theirs: TableShape | undefined): Promise<TablePair> {
  const same = theirs?.oid === mine.oid ? theirs : undefined;
  const key = (await keyColumnsOf(old, mine, mine.key)) ?? [];
  const currentKey = same && key.length > 0 ? await keyColumnsOf(current, same, mine.key) : undefined;
  return { old: mine, current: same, key: { old: key, current: currentKey ?? [] } };
}

async function ofTable(sides: BothSides, pair: TablePair, request: LostWritesRequest): Promise<TableLosses> {
  const table = tableId(pair.old);
  const counts = { inserted: 0, updated: 0, deleted: 0, changedSince: 0 };
  const inTime = (): void => {
    if (request.clock.now() >= request.deadline) throw new DeadlinePassed('listing lost writes');
  };
  const keep = async (writes: readonly LostWrite[]): Promise<void> => {
    if (writes.length === 0) return;
    for (const { kind, changedSince } of writes) {
      counts[kind]++;
      if (changedSince) counts.changedSince++;
    }
    await request.keep(table, writes);
  };
  const result = { table, byKey: pair.key.old.length > 0 };
  try {
    const straddling = new Set<string>();
    for await (const writes of writtenRows(sides, pair, straddling, inTime)) await keep(writes);
    const why = whyNoDeletions(pair);
    if (!pair.current || why !== undefined) return { ...result, ...counts, ...(why === undefined ? {} : { incomplete: why }) };
    for await (const writes of deletedRows(sides, { ...pair, current: pair.current }, straddling, inTime)) await keep(writes);
    return { ...result, ...counts, ...(pair.old.fileNode === pair.current.fileNode ? {} : { incomplete: rewritten }) };
  } catch (error) {
    return { ...result, ...counts, incomplete: whyIncomplete(error) };
  }
}

/** @throws whatever is no finding about this table */
function whyIncomplete(error: unknown): string {
  if (error instanceof TooManyDifferences) return 'it has no key and too many rows differ: what was deleted cannot be told';
  if (!(error instanceof SqlFailed)) throw error;
  if (error.sqlState === '57014') throw new DeadlinePassed('listing lost writes');
  if (error.sqlState === '55P03') throw new ServiceUnavailable('a table of the new primary is locked by other work');
  return `it could not be read to the end: ${reasonOf(error)}`.slice(0, 300);
}

/** VACUUM FULL and TRUNCATE leave what is needed, an ALTER TABLE that changes every row does not; the file does not say which it was. */
const rewritten = 'it was rewritten on one side since the promotion: deleted rows may be missing from the list';

function whyNoDeletions({ old, current, key }: TablePair): string | undefined {
  if (!current) return 'the new primary has no such table: every lost row is listed, a deleted one cannot be told';
  if (key.old.length > 0)
    return key.current.length > 0 ? undefined : 'its key is another one on the new primary: what was deleted cannot be told';
  const columns = (table: TableShape) => JSON.stringify(table.columns.map(({ name, number, base }) => [name, number, base]));
  return columns(old) === columns(current)
    ? undefined
    : 'it has no key, and other columns on the new primary: what was deleted cannot be told';
}

/** A table that is on the new primary alone, and was there at the promotion. */
async function* ofDropped({ current, fork }: BothSides, table: TableShape): AsyncGenerator<TableLosses> {
  const [row] = await current.query(`select ${isSince(fork)} as since from pg_class where oid = $1::oid`, [table.oid]);
  if (row?.since === 't') return;
  const none = { inserted: 0, updated: 0, deleted: 0, changedSince: 0 };
  yield {
    table: tableId(table),
    ...none,
    byKey: table.key.length > 0,
    incomplete: 'the old primary dropped or renamed it, or made it anew',
  };
}
