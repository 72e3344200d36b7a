import { SqlFailed } from '../../common/sql-failed.ts';
import { newestCanary } from '../../verify/canary.ts';
import type { SqlSession } from '../../verify/ports.ts';
import type { Position } from '../models.ts';

/**
 * Where the server's history stands. Transaction ids and log positions are those of the whole server; the canary is that of the first database, by
 * name, that has one: a replica has the same databases, so both sides tell of the same canary.
 */
export async function serverPosition(sessions: readonly SqlSession[]): Promise<Position> {
  const [first] = sessions;
  if (!first) return { transactions: 0 };
  const [row] = await first.query('select pg_snapshot_xmax(pg_current_snapshot()) as transactions, pg_is_in_recovery() as replica');
  const lsn = await logPosition(first, row?.replica === 't');
  const canary = await firstCanary(sessions);
  return { transactions: Number(row?.transactions ?? 0), ...(canary ? { canary } : {}), ...(lsn === undefined ? {} : { lsn }) };
}

/** Aurora keeps no write-ahead log of this kind and refuses to tell. */
async function logPosition(session: SqlSession, isReplica: boolean): Promise<string | undefined> {
  try {
    const [row] = await session.query(`select ${isReplica ? 'pg_last_wal_replay_lsn()' : 'pg_current_wal_lsn()'} as lsn`);
    return row?.lsn ?? undefined;
  } catch (error) {
    if (error instanceof SqlFailed) return undefined;
    throw error;
  }
}

async function firstCanary(sessions: readonly SqlSession[]): Promise<Position['canary']> {
  for (const session of sessions) {
    const [table] = await session.query(`select to_regclass('codeblue.canary') is not null as present`);
    const canary = table?.present === 't' ? await newestCanary(session) : undefined;
    if (canary) return canary;
  }
  return undefined;
}
