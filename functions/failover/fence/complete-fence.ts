import { SqlFailed } from '../../common/sql-failed.ts';
import type { SqlServer, SqlSession } from '../../verify/ports.ts';
import { openSession, qualified, quoteIdentifier } from '../../verify/session.ts';
import { tableId } from '../../verify/tables.ts';
import { type ApplicationTable, FENCE_TRIGGER, listApplicationTables } from './fenced-tables.ts';
import { installLease, isLeaseInstalled } from './lease-objects.ts';

/** What a fence lacks. */
export interface FenceGaps {
  /** The lease and the functions are missing, or of another version. */
  readonly lease: boolean;
  /** Tables that can be fenced and are not, as `schema.table`. */
  readonly tables: readonly string[];
  /** Tables that Codeblue's role may not fence: it lacks the role of their owner. */
  readonly forbidden: readonly string[];
}

/** What became of the tables that were not fenced, as `schema.table`. */
export interface FenceCompletion {
  readonly fenced: readonly string[];
  /** In use by somebody for longer than we wait: the next pass tries again. */
  readonly busy: readonly string[];
  readonly forbidden: readonly string[];
}

/**
 * Waits for a table no longer than this. While we wait for its lock, new writers wait behind us: a fifth of a second is a hiccup,
 * a long transaction in front of us must not make it an outage.
 */
const LOCK_SECONDS = 0.2;
const STATEMENT_SECONDS = 30;

/** What is to be done, by two queries; undefined on a replica, where nothing can be. */
export async function gapsOfFence(server: SqlServer, databaseName: string): Promise<FenceGaps | undefined> {
  return inSession(server, databaseName, async (session) => {
    const [row] = await session.query('select pg_is_in_recovery() as replica');
    if (row?.replica === 't') return undefined;
    const missing = (await listApplicationTables(session)).filter(({ guarded }) => !guarded);
    return {
      lease: !(await isLeaseInstalled(session)),
      tables: missing.filter(({ permitted }) => permitted).map(tableId),
      forbidden: missing.filter(({ permitted }) => !permitted).map(tableId),
    };
  });
}

/**
 * Installs what is missing of the fence of one database: the lease, and the trigger on every application table that lacks it, has it disabled, or
 * has another version. One table in a transaction; idempotent; two queries where nothing is missing.
 *
 * @throws SqlFailed when schema `codeblue` cannot be created or changed
 */
export async function completeFence(server: SqlServer, databaseName: string): Promise<FenceCompletion> {
  return inSession(server, databaseName, async (session) => {
    await installLease(session);
    const missing = (await listApplicationTables(session)).filter(({ guarded }) => !guarded);
    const results: { readonly name: string; readonly result: keyof FenceCompletion }[] = [];
    for (const table of missing) results.push({ name: tableId(table), result: await fenceTable(session, table) });
    const having = (result: keyof FenceCompletion) => results.filter((each) => each.result === result).map(({ name }) => name);
    return { fenced: having('fenced'), busy: having('busy'), forbidden: having('forbidden') };
  });
}

async function inSession<T>(server: SqlServer, databaseName: string, work: (session: SqlSession) => Promise<T>): Promise<T> {
  const session = await openSession(server, databaseName, { statementSeconds: STATEMENT_SECONDS, lockSeconds: LOCK_SECONDS });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** ENABLE ALWAYS is for the owner alone, and keeps `session_replication_role = replica` from switching the trigger off: so it is done as the owner. */
async function fenceTable(session: SqlSession, table: ApplicationTable): Promise<keyof FenceCompletion> {
  if (!table.permitted) return 'forbidden';
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
    const result = error instanceof SqlFailed ? resultOf(error.sqlState) : undefined;
    if (result === undefined) throw error;
    return result;
  }
}

/** 55P03 lock_not_available, 40P01 deadlock_detected, 42P01 undefined_table: dropped since it was listed. 42501 insufficient_privilege. */
function resultOf(sqlState: string): 'busy' | 'forbidden' | undefined {
  if (['55P03', '40P01', '42P01'].includes(sqlState)) return 'busy';
  return sqlState === '42501' ? 'forbidden' : undefined;
}
