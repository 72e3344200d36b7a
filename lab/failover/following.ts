import type { Region } from '../../functions/common/ids.ts';
import type { SqlSession } from '../../functions/verify/ports.ts';
import type { Regions } from '../regions.ts';

export async function isStandby(session: SqlSession): Promise<boolean> {
  const [row] = await session.query('SELECT pg_is_in_recovery() AS standby');
  return row?.standby === 't';
}

/**
 * The region that a standby was told to follow, by the port in its own settings; undefined on a primary. Needs the superuser: the setting
 * holds a password.
 */
export async function followedRegion(session: SqlSession, regions: Regions): Promise<Region | undefined> {
  if (!(await isStandby(session))) return undefined;
  const [row] = await session.query(`SELECT current_setting('primary_conninfo') AS conninfo`);
  const port = Number(/port='?(\d+)/.exec(row?.conninfo ?? '')?.[1]);
  return regions.linkTarget(port) ?? regions.state.regions.find((region) => region.port === port)?.name;
}
