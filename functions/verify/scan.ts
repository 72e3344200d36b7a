import { CodeblueError } from '../common/errors.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import type { SqlRow, SqlSession } from './ports.ts';
import type { RowHash } from './row-hash.ts';
import { qualified, quoteIdentifier } from './session.ts';
import type { TableShape } from './tables.ts';

/** Blocks of 8 kB in one statement: short enough that locks, snapshots and answers stay small. */
const CHUNK_BLOCKS = 4096;

/** Part of a table. The last one has no upper end: the table may have grown. */
export interface Chunk {
  readonly table: TableShape;
  readonly fromBlock: number;
  readonly toBlock: number | undefined;
}

/** Chunks of all tables, the largest tables first, so that workers end together. */
export function chunksOf(tables: readonly TableShape[]): readonly Chunk[] {
  return [...tables]
    .sort((a, b) => b.blocks - a.blocks)
    .flatMap((table) => {
      const count = Math.max(1, Math.ceil(table.blocks / CHUNK_BLOCKS));
      return Array.from({ length: count }, (_, index) => ({
        table,
        fromBlock: index * CHUNK_BLOCKS,
        toBlock: index === count - 1 ? undefined : (index + 1) * CHUNK_BLOCKS,
      }));
    });
}

/** The scan below the hashes: columns, forms and `extra` select items of the rows of one chunk. */
export function chunkRows(chunk: Chunk, hash: RowHash, extra: readonly string[]): string {
  const items = [...chunk.table.columns.map((column) => quoteIdentifier(column.name)), ...hash.forms, ...extra];
  const range = [
    ...(chunk.fromBlock > 0 ? [`ctid >= '(${chunk.fromBlock},0)'::tid`] : []),
    ...(chunk.toBlock !== undefined ? [`ctid < '(${chunk.toBlock},0)'::tid`] : []),
  ];
  const where = range.length > 0 ? ` where ${range.join(' and ')}` : '';
  // `offset 0` keeps the planner from pulling the forms up into each place that reads them, which would work them out twice.
  const fence = hash.forms.length > 0 ? ' offset 0' : '';
  return `select ${items.length > 0 ? items.join(', ') : 'null::int4 as codeblue_none'} from only ${qualified(chunk.table)}${where}${fence}`;
}

/** Runs `work` on every item, one item at a time per session. The first error that is thrown ends all. */
export async function eachOn<T>(
  sessions: readonly SqlSession[],
  items: readonly T[],
  work: (item: T, session: SqlSession) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  await Promise.all(
    sessions.map(async (session) => {
      for (let index = next++; index < items.length && !failed; index = next++) {
        const item = items[index];
        if (item === undefined) return;
        try {
          await work(item, session);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    }),
  );
}

/** The deadline of the caller passed before everything was read. */
export class DeadlinePassed extends CodeblueError {
  override readonly name = 'DeadlinePassed';
  readonly retryable = true;

  constructor(doing: string) {
    super(`time ran out while ${doing}`, { hint: 'Give it more workers, a larger instance, or more time.' });
  }
}

/**
 * Runs a query in a read-only transaction of its own, under `snapshot` where one is given; the locks are gone when it returns.
 *
 * @returns rows, or the error when PostgreSQL refused: damage, a lock, an absent table. A server that dies throws.
 * @throws DeadlinePassed when the statement was cancelled
 */
export async function readOnce(
  session: SqlSession,
  text: string,
  values: readonly (string | readonly string[])[],
  snapshot?: string,
): Promise<readonly SqlRow[] | SqlFailed> {
  try {
    await session.query('begin isolation level repeatable read read only');
    if (snapshot !== undefined) await session.query(`set transaction snapshot '${snapshot}'`);
    const rows = await session.query(text, values);
    await session.query('commit');
    return rows;
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    await session.query('rollback');
    if (error.sqlState === '57014') throw new DeadlinePassed('reading a table');
    return error;
  }
}

/** Why a table could not be read, in words; SQLSTATE included. */
export function reasonOf(error: SqlFailed): string {
  if (error.sqlState === '55P03') return 'it is locked by other work (SQLSTATE 55P03)';
  if (error.sqlState === '42P01') return 'it is not there (SQLSTATE 42P01)';
  return `${error.message} (SQLSTATE ${error.sqlState})`;
}

/** 32-bit transaction id as PostgreSQL stores it in a row, of a 64-bit one. */
const lowXid = (full: string): string => String(BigInt.asUintN(32, BigInt(full)));

/**
 * SQL: is the row version younger than `from` and older than `to` (64-bit transaction ids)?
 *
 * age() counts back from the transaction's own base, 32 bits wide. Two ends are needed: a frozen row keeps its raw xmin for ever,
 * which after 2^31 transactions would look young. With both, such a row is mistaken only when its number falls into the window by
 * chance, and then on the live side and in the copy alike.
 */
export function isRecent(recent: { readonly from: string; readonly to: string }): string {
  const ageOf = (full: string): string => `(select age('${lowXid(full)}'::xid))`;
  return `(age(xmin) <= ${ageOf(recent.from)} and age(xmin) > ${ageOf(recent.to)})`;
}

/** Multixact ids when the manifest's snapshot was taken, and when the copy had been captured. */
export interface MultixactWindow {
  readonly from: string;
  readonly to: string;
}

/**
 * SQL: could something that ran after the manifest's snapshot and before the copy have deleted, updated or locked the row?
 *
 * xmax is a transaction id or a multixact id, and the row does not say which from SQL. It counts as touched when, read as a
 * transaction, it is in the recent window; when, read as a multixact, it was made in the window; and when it is an older multixact with
 * a recent member: a transaction that ran across the snapshot. Lockers that foreign keys leave behind for ever are in none of these.
 */
export function isTouched(recent: { readonly from: string; readonly to: string }, multixacts: MultixactWindow): string {
  const within = (value: string, from: string, to: string): string =>
    `((${value} - ${lowXid(from)}) & 4294967295) < ((${lowXid(to)}::int8 - ${lowXid(from)}) & 4294967295)`;
  const xmax = 'xmax::text::int8';
  const oldest = `(select datminmxid::text::int8 from pg_database where datname = current_database())`;
  const olderMultixact = `((${xmax} - ${oldest}) & 4294967295) < ((${lowXid(multixacts.from)} - ${oldest}) & 4294967295)`;
  const recentMember = `exists (select from pg_get_multixact_members(xmax) m where ${within('m.xid::text::int8', recent.from, recent.to)})`;
  return `case when xmax <> 0 then ${within(xmax, recent.from, recent.to)} or ${within(xmax, multixacts.from, multixacts.to)}
    or case when ${olderMultixact} then ${recentMember} else false end else false end`;
}
