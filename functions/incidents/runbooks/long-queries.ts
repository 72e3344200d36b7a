import { z } from 'zod';
import { parseAs } from '../../common/parse.ts';
import { SqlFailed } from '../../common/sql-failed.ts';
import type { SqlSession } from '../../verify/ports.ts';

/** A session that works on one statement for too long. Without the statement's text: it may hold a patient's name. */
export const LongQuery = z.strictObject({
  pid: z.string(),
  databaseName: z.string(),
  role: z.string(),
  seconds: z.coerce.number(),
});
export type LongQuery = z.output<typeof LongQuery>;

/**
 * Running statements of the application, in every database of the server: of what a person or a program connected, and no more. Left alone are background processes
 * (autovacuum, replication, parallel workers, whose leader is ended instead), sessions of superusers and of replication roles, those of the service itself (`rdsadmin`), and
 * every session of Codeblue's role. A transaction that idles runs nothing.
 */
const runningLong = `
  select a.pid::text as pid, a.datname as "databaseName", a.usename as role,
         floor(extract(epoch from clock_timestamp() - a.query_start))::text as seconds
    from pg_stat_activity a
    join pg_roles r on r.oid = a.usesysid
   where a.backend_type = 'client backend'
     and a.state in ('active', 'fastpath function call')
     and a.pid <> pg_backend_pid()
     and r.rolname <> session_user
     and not r.rolsuper and not r.rolreplication
     and r.rolname not in ('rdsadmin', 'rdsrepladmin', 'rdstopmgr')
     and clock_timestamp() - a.query_start > make_interval(secs => $1::double precision)`;

/** What would be ended, the oldest first. @throws SqlFailed where the role may not see what others do */
export async function longQueries(session: SqlSession, olderThanSeconds: number): Promise<readonly LongQuery[]> {
  const [right] = await session.query(`select pg_has_role('pg_read_all_stats', 'usage') as sees`);
  // Without it the list would be empty, and wrong.
  if (right?.sees !== 't') throw new SqlFailed('42501', 'sessions of others cannot be seen: grant pg_read_all_stats to Codeblue’s role');
  const rows = await session.query(`${runningLong} order by a.query_start`, [olderThanSeconds]);
  return rows.map((row) => parseAs(LongQuery, row, 'a row of pg_stat_activity'));
}

export interface EndedQueries {
  readonly ended: readonly LongQuery[];
  /** Sessions that this role may not end, or that were gone. */
  readonly left: readonly LongQuery[];
}

/**
 * Ends them. Each is looked at once more in the statement that ends it: a pid may have gone to somebody else, and a query may have come to its end.
 *
 * Needs `pg_read_all_stats` and `pg_signal_backend`; sessions of superusers cannot be ended by it, which PostgreSQL itself sees to.
 */
export async function endLongQueries(session: SqlSession, olderThanSeconds: number): Promise<EndedQueries> {
  const found = await longQueries(session, olderThanSeconds);
  const ended: LongQuery[] = [];
  const left: LongQuery[] = [];
  for (const query of found) {
    const isEnded = await end(session, query, olderThanSeconds);
    (isEnded ? ended : left).push(query);
  }
  return { ended, left };
}

async function end(session: SqlSession, { pid }: LongQuery, olderThanSeconds: number): Promise<boolean> {
  try {
    const text = `select pg_terminate_backend(s.pid::int) as ended from (${runningLong} and a.pid = $2::int) s`;
    const [row] = await session.query(text, [olderThanSeconds, pid]);
    return row?.ended === 't';
  } catch (error) {
    if (error instanceof SqlFailed) return false; // not ours to end (42501): it is counted among those that are left
    throw error;
  }
}
