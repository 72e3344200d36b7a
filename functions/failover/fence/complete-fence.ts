import { SqlFailed } from '../../common/sql-failed.ts';
import type { SqlServer, SqlSession } from '../../verify/ports.ts';
import { openSession, qualified, quoteIdentifier } from '../../verify/session.ts';
import { tableId } from '../../verify/tables.ts';
import { type ApplicationTable, FENCE_TRIGGER, isFenced, listApplicationTables } from './fenced-tables.ts';
import { installLease } from './lease-objects.ts';

/** What became of the fence of one database. */
export interface FenceCompletion {
  readonly tables: number;
  /** `schema.table` of those that were fenced now. */
  readonly fenced: readonly string[];
  /** In use by somebody for longer than we wait: the next pass tries again. */
  readonly busy: readonly string[];
  /** Codeblue's role may not: its owner must grant it. */
  readonly forbidden: readonly string[];
  /** Fed by logical replication, whose writes fire no statement trigger. */
  readonly subscribed: readonly string[];
}

/**
 * Waits for a table no longer than this. While we wait for its lock, new writers wait behind us: a fifth of a second is a hiccup,
 * a long transaction in front of us must not make it an outage.
 */
const LOCK_SECONDS = 0.2;
const STATEMENT_SECONDS = 30;

/**
 * Installs what is missing of the fence of one database: the lease, and the trigger on every application table that lacks it, has it disabled, or
 * has another version. One table in a transaction; idempotent; two queries where nothing is missing.
 *
 * @throws SqlFailed when schema `codeblue` cannot be created or changed
 */
export async function completeFence(server: SqlServer, databaseName: string): Promise<FenceCompletion> {
  const session = await openSession(server, databaseName, { statementSeconds: STATEMENT_SECONDS, lockSeconds: LOCK_SECONDS });
  try {
    await installLease(session);
    const tables = await listApplicationTables(session);
    const missing = tables.filter(({ guarded }) => !guarded);
    const tried: { readonly name: string; readonly result: 'fenced' | 'busy' | 'forbidden' }[] = [];
    for (const table of missing) tried.push({ name: tableId(table), result: await fenceTable(session, table) });
    const having = (result: 'fenced' | 'busy' | 'forbidden') => tried.filter((each) => each.result === result).map(({ name }) => name);
    return {
      tables: tables.length,
      fenced: having('fenced'),
      busy: having('busy'),
      forbidden: having('forbidden'),
      subscribed: tables.filter(({ subscribed }) => subscribed).map(tableId),
    };
  } finally {
    await session.close();
  }
}

/** Tables of one database that a write could pass the lease by, as `schema.table`. */
export async function unfencedTables(session: SqlSession): Promise<readonly string[]> {
  return (await listApplicationTables(session)).filter((table) => !isFenced(table)).map(tableId);
}

/** ENABLE ALWAYS is for the owner alone, and keeps `session_replication_role = replica` from switching the trigger off: so it is done as the owner. */
async function fenceTable(session: SqlSession, table: ApplicationTable): Promise<'fenced' | 'busy' | 'forbidden'> {
  const name = qualified(table);
  try {
    await session.query(
      `begin;
       set local role ${quoteIdentifier(table.owner)};
       create or replace trigger ${FENCE_TRIGGER} before insert or update or delete or truncate on ${name}
         for each statement execute function codeblue.guard_write();
       alter table ${name} enable always trigger ${FENCE_TRIGGER};
       commit`,
    );
    return 'fenced';
  } catch (error) {
    await session.query('rollback');
    if (!(error instanceof SqlFailed)) throw error;
    const result = resultOf(error.sqlState);
    if (result === undefined) throw error;
    return result;
  }
}

/** 55P03 lock_not_available, 40P01 deadlock_detected, 42P01 undefined_table: dropped since it was listed. 42501 insufficient_privilege. */
function resultOf(sqlState: string): 'busy' | 'forbidden' | undefined {
  if (['55P03', '40P01', '42P01'].includes(sqlState)) return 'busy';
  return sqlState === '42501' ? 'forbidden' : undefined;
}
