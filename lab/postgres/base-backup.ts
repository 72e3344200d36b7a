import { z } from 'zod';
import { type PgAddress, pgServer } from '../../functions/common/pg-server.ts';

/** What a copy of a running server needs besides the files to become consistent. */
export interface BackupEnd {
  readonly timeline: number;
  readonly startLsn: string;
  readonly stopLsn: string;
  /** Contents of `backup_label`, which tells recovery where to start. */
  readonly label: string;
  /** The server's own clock when the backup ended: the copy shows this instant. */
  readonly endedAt: Date;
}

const Start = z.object({ lsn: z.string(), timeline: z.coerce.number() });
const Stop = z.object({ lsn: z.string(), labelfile: z.string(), ended_at: z.coerce.date() });

/**
 * Runs `copy` between `pg_backup_start` and `pg_backup_stop` on a running primary, while it is written to. The files that `copy` read
 * plus the log from `startLsn` to `stopLsn` make a consistent cluster as of `endedAt`.
 */
export async function baseBackup(address: PgAddress, label: string, copy: () => Promise<void>): Promise<BackupEnd> {
  const session = await pgServer(address).connect('postgres');
  try {
    const [started] = await session.query(
      `SELECT lsn, ('x' || substr(pg_walfile_name(lsn), 1, 8))::bit(32)::int AS timeline FROM pg_backup_start($1, true) AS lsn`,
      [label],
    );
    const start = Start.parse(started);
    await copy();
    const [stopped] = await session.query(
      `SELECT lsn, labelfile, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ended_at FROM pg_backup_stop(false)`,
    );
    const stop = Stop.parse(stopped);
    // Dates have milliseconds: rounded up, so that the instant named here is never before the end.
    const endedAt = new Date(stop.ended_at.getTime() + 1);
    return { timeline: start.timeline, startLsn: start.lsn, stopLsn: stop.lsn, label: stop.labelfile, endedAt };
  } finally {
    // Closing the session ends a backup that was not stopped.
    await session.close();
  }
}
