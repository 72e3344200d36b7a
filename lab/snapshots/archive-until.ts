import { z } from 'zod';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { Regions } from '../regions.ts';
import { archived } from './take.ts';

/**
 * Makes the archive of the primary reach beyond a time that has passed: one empty transaction as a mark, then the segment with it is
 * closed and archived. (RDS writes such a mark every five minutes.) Where the primary no longer answers, what is archived has to do.
 */
export async function archiveUntil(regions: Regions, time: Date): Promise<void> {
  const { paths, name } = regions.use(regions.primary);
  if (regions.use(name).server.status() !== 'ready') return;
  const session = await pgServer(regions.address(name, 'admin')).connect('postgres');
  try {
    const [row] = await session.query(`SELECT clock_timestamp() > $1::timestamptz AS passed`, [time.toISOString()]);
    if (row?.passed !== 't') return;
    await session.query('SELECT pg_current_xact_id()');
    const [switched] = await session.query('SELECT pg_walfile_name(pg_switch_wal()) AS segment');
    await archived(paths.archive, z.object({ segment: z.string() }).parse(switched).segment);
  } finally {
    await session.close();
  }
}
