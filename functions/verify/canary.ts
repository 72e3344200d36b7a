import { z } from 'zod';
import { NotFound } from '../common/errors.ts';
import { type Timestamp, timestamp } from '../common/ids.ts';
import { parseAs } from '../common/parse.ts';
import type { SqlServer, SqlSession } from './ports.ts';

/** A row that was written to measure what survives. `seq` rises by exactly one, in commit order, without gaps. */
export interface Canary {
  readonly seq: number;
  readonly writtenAt: Timestamp;
}

/**
 * The canary table as a restored copy shows it. `missing` counts the sequence numbers between `oldest` and `newest` that are not
 * there: writing is gapless by construction (see `writeCanary`), so any is a lost row.
 */
export interface CanaryState {
  readonly oldest: Canary | undefined;
  readonly newest: Canary | undefined;
  readonly missing: number;
  /** Longest time between two neighbours, seconds: how finely loss was measured. */
  readonly longestPauseSeconds: number;
}

/** Any number, the same in every version: serializes installation. */
const INSTALL_LOCK = 6_213_370_911;

/**
 * Creates schema `codeblue` with the canary table and the identity row. Idempotent, also under concurrent calls; where everything is
 * there it only reads. Locks nothing of the application.
 */
export async function installCanary(session: SqlSession): Promise<void> {
  const [found] = await session.query(
    `select to_regclass('codeblue.canary') is not null and to_regclass('codeblue.identity') is not null as installed`,
  );
  if (found?.installed === 't') return;
  await session.query('begin');
  try {
    await session.query('select pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
    await session.query('create schema if not exists codeblue');
    await session.query(`create table if not exists codeblue.canary (
      seq bigint primary key, written_at timestamptz not null default clock_timestamp(), label text not null)`);
    await session.query(`create table if not exists codeblue.identity (
      only_row boolean primary key default true check (only_row), nonce uuid not null default gen_random_uuid(), last_seq bigint not null default 0)`);
    await session.query('insert into codeblue.identity default values on conflict do nothing');
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => []);
    throw error;
  }
}

/**
 * Writes one canary row and commits. The counter row is updated in the same statement: its lock is held until commit, so numbers have
 * no gaps (an aborted write gives its number back) and follow the order of commits. Outside a transaction only.
 */
export async function writeCanary(session: SqlSession, label: string): Promise<Canary> {
  const rows = await session.query(
    `with next as (update codeblue.identity set last_seq = last_seq + 1 returning last_seq)
     insert into codeblue.canary (seq, label) select last_seq, $1 from next
     returning seq, extract(epoch from written_at)::text as written`,
    [label],
  );
  return canaryOf(rows[0], 'seq', 'written') ?? missingCanary();
}

/** Removes canaries older than `keepSeconds`, from the oldest on, so that no gap appears. The newest always stays. */
export async function trimCanary(session: SqlSession, keepSeconds: number): Promise<void> {
  await session.query(
    `delete from codeblue.canary where seq < (
       select coalesce(min(seq) filter (where written_at >= clock_timestamp() - make_interval(secs => $1)), max(seq)) from codeblue.canary)`,
    [keepSeconds],
  );
}

/** The last canary, or undefined where none was ever written. */
export async function newestCanary(session: SqlSession): Promise<Canary | undefined> {
  const rows = await session.query(
    'select seq, extract(epoch from written_at)::text as written from codeblue.canary order by seq desc limit 1',
  );
  return canaryOf(rows[0], 'seq', 'written');
}

/** First, last and missing canaries. */
export async function canaryState(session: SqlSession): Promise<CanaryState> {
  const [row] = await session.query(`
    select min(seq) as oldest, extract(epoch from min(written_at))::text as oldest_at,
      max(seq) as newest, extract(epoch from max(written_at))::text as newest_at,
      coalesce(max(seq) - min(seq) + 1 - count(*), 0) as missing, coalesce(extract(epoch from max(pause)), 0)::text as pause
    from (select seq, written_at, written_at - lag(written_at) over (order by seq) as pause from codeblue.canary) c`);
  return {
    oldest: canaryOf(row, 'oldest', 'oldest_at'),
    newest: canaryOf(row, 'newest', 'newest_at'),
    missing: Number(row?.missing ?? 0),
    longestPauseSeconds: Number(row?.pause ?? 0),
  };
}

/** The nonce that tells this database from every other one. */
export async function readIdentity(session: SqlSession): Promise<string | undefined> {
  const [table] = await session.query(`select to_regclass('codeblue.identity') is not null as present`);
  if (table?.present !== 't') return undefined;
  const [row] = await session.query('select nonce from codeblue.identity');
  return row?.nonce ?? undefined;
}

const DatabaseRow = z.object({ datname: z.string() });

/**
 * The databases of a server to look into: the given ones, or all that accept connections, without templates and `rdsadmin`.
 * Sorted by name. @throws NotFound when a given one is not there
 */
export async function databaseNamesOf(server: SqlServer, given?: readonly string[]): Promise<readonly string[]> {
  const session = await connectToAny(server, given);
  try {
    const rows = await session.query(
      `select datname from pg_database where datallowconn and not datistemplate and datname <> 'rdsadmin' order by datname collate "C"`,
    );
    const present = rows.map((row) => parseAs(DatabaseRow, row, 'a row of pg_database').datname);
    const absent = given?.filter((name) => !present.includes(name)) ?? [];
    if (absent.length > 0) throw new NotFound(`the server has no database ${absent.map((name) => `"${name}"`).join(', ')}`);
    return given ? present.filter((name) => given.includes(name)) : present;
  } finally {
    await session.close();
  }
}

/** `postgres` exists unless somebody dropped it; then a given name must do. */
async function connectToAny(server: SqlServer, given: readonly string[] = []): Promise<SqlSession> {
  try {
    return await server.connect('postgres');
  } catch (error) {
    const [first] = given;
    if (first === undefined) throw error;
    return server.connect(first);
  }
}

function canaryOf(row: Readonly<Record<string, string | null>> | undefined, seq: string, written: string): Canary | undefined {
  if (row?.[seq] == null || row[written] == null) return undefined;
  return { seq: Number(row[seq]), writtenAt: timestamp(new Date(Number(row[written]) * 1000)) };
}

function missingCanary(): never {
  throw new NotFound('the identity row of schema codeblue is gone', {
    hint: 'Drop schema codeblue and let the canary writer make it anew.',
  });
}
