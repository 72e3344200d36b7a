import { z } from 'zod';
import { ServiceUnavailable } from '../../common/errors.ts';
import { parseAs } from '../../common/parse.ts';
import { SqlFailed } from '../../common/sql-failed.ts';
import type { SqlSession } from '../../verify/ports.ts';

/** One transaction of this database that may have written. */
const Writer = z.object({ pid: z.string(), xid: z.string(), idle: z.enum(['t', 'f']) });
type Writer = z.output<typeof Writer>;

/** How long writers are left to finish by themselves, idle ones and others, and how long a terminated session has to go. */
interface DrainLimits {
  readonly idleSeconds: number;
  readonly graceSeconds: number;
  readonly terminateSeconds: number;
}

/**
 * A commit that had passed its check takes milliseconds. All others are refused when they commit: waiting longer for them only costs time. A session
 * that idles in its transaction gets a moment to be refused politely.
 */
const drainLimits: DrainLimits = { idleSeconds: 0.2, graceSeconds: 1, terminateSeconds: 5 };

const PAUSE_SECONDS = 0.02;

/**
 * Waits until no transaction of this database is left that began to write before now, and ends the sessions of those that stay. To be
 * called after the lease was closed: whoever begins later is refused, and whoever was between its check at commit and its commit is among those
 * waited for, because a transaction that wrote shows its id until it is over.
 *
 * Needs `pg_read_all_stats` (to see transaction ids of others) and `pg_signal_backend` (to end their sessions).
 *
 * @throws ServiceUnavailable when a writer is left: a session of a superuser, or a prepared transaction
 */
export async function drainWriters(session: SqlSession, limits: DrainLimits = drainLimits): Promise<void> {
  await requireSight(session);
  const writers = await openWriters(session);
  let left = await waitFor(session, writers, limits.idleSeconds);
  if (left.some(({ idle }) => idle === 'f')) left = await waitFor(session, left, limits.graceSeconds - limits.idleSeconds);
  if (left.length > 0) {
    for (const { pid } of left) await terminate(session, pid);
    left = await waitFor(session, left, limits.terminateSeconds);
  }
  if (left.length > 0) {
    throw new ServiceUnavailable(`${left.length} transactions that wrote are still open and could not be ended`, {
      hint: 'Grant pg_signal_backend to Codeblue’s role, or end the sessions that pg_stat_activity shows with a backend_xid.',
    });
  }
  await requireNonePrepared(session);
}

/** Without the right to see them, the list of writers would be empty, and wrong. */
async function requireSight(session: SqlSession): Promise<void> {
  const [row] = await session.query(`select pg_has_role('pg_read_all_stats', 'usage') as sees`);
  if (row?.sees === 't') return;
  throw new ServiceUnavailable('open transactions of others cannot be seen', { hint: 'Grant pg_read_all_stats to Codeblue’s role.' });
}

/** Autovacuum has transaction ids and writes no data. */
async function openWriters(session: SqlSession): Promise<readonly Writer[]> {
  const rows = await session.query(
    `select pid::text as pid, backend_xid::text as xid, coalesce(state like 'idle%', false) as idle from pg_stat_activity
     where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid() and backend_type <> 'autovacuum worker'`,
  );
  return rows.map((row) => parseAs(Writer, row, 'a row of pg_stat_activity'));
}

/** Pauses in the database, not here. @returns those that are still open after so many seconds */
async function waitFor(session: SqlSession, writers: readonly Writer[], seconds: number): Promise<readonly Writer[]> {
  let left = writers;
  for (let looks = Math.ceil(seconds / PAUSE_SECONDS); left.length > 0 && looks > 0; looks--) {
    await session.query('select pg_sleep($1)', [PAUSE_SECONDS]);
    const open = await openWriters(session);
    left = open.filter(({ pid, xid }) => left.some((each) => each.pid === pid && each.xid === xid));
  }
  return left;
}

async function terminate(session: SqlSession, pid: string): Promise<void> {
  try {
    await session.query('select pg_terminate_backend($1)', [pid]);
  } catch (error) {
    // Not ours to end (42501): whoever is left is counted afterwards.
    if (!(error instanceof SqlFailed)) throw error;
  }
}

async function requireNonePrepared(session: SqlSession): Promise<void> {
  const [row] = await session.query('select count(*) as prepared from pg_prepared_xacts where database = current_database()');
  const prepared = Number(row?.prepared ?? 0);
  if (prepared === 0) return;
  throw new ServiceUnavailable(`${prepared} prepared transactions can still be committed`, {
    hint: 'Let their transaction manager commit or roll them back; pg_prepared_xacts lists them.',
  });
}
