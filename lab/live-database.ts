import { z } from 'zod';
import type { LiveDatabase } from '../functions/backup/models.ts';
import { NotFound } from '../functions/common/errors.ts';
import type { DatabaseId, Region } from '../functions/common/ids.ts';
import { pgServer } from '../functions/common/pg-server.ts';
import { followedRegion } from './failover/following.ts';
import type { Regions } from './regions.ts';
import { archivedTimeline } from './snapshots/archived-timeline.ts';
import { SnapshotStore } from './snapshots/store.ts';

/** Nothing of the archive is thrown away while the lab runs. */
const LOG_KEPT_DAYS = 365;

const Facts = z.object({
  version: z.string(),
  size_bytes: z.coerce.number(),
  in_recovery: z.enum(['t', 'f']),
  replicas: z.string(),
  archived_at: z.coerce.date().nullable(),
});

/** What a region's live server says about itself. @throws ServiceUnavailable when it does not answer */
export async function describeLive(regions: Regions, databaseId: DatabaseId, region: Region): Promise<LiveDatabase> {
  regions.checkDatabase(databaseId);
  const session = await pgServer(regions.address(region, 'admin')).connect('postgres');
  try {
    const [row] = await session.query(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
              (SELECT sum(pg_database_size(oid)) FROM pg_database) AS size_bytes,
              pg_is_in_recovery() AS in_recovery,
              (SELECT coalesce(string_agg(application_name, ' ' ORDER BY application_name), '') FROM pg_stat_replication) AS replicas,
              (SELECT to_char(last_archived_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM pg_stat_archiver) AS archived_at`,
    );
    const facts = Facts.parse(row);
    const replicaOf = facts.in_recovery === 't' ? ((await followedRegion(session, regions)) ?? regions.primary) : undefined;
    return {
      databaseId,
      region,
      status: 'available',
      engineVersion: facts.version,
      sizeBytes: facts.size_bytes,
      // The lab's live data lies on this machine's disk as it is; what is stored of it is encrypted.
      encrypted: false,
      deletionProtected: false,
      replicas: facts.replicas.split(' ').filter((name) => name !== ''),
      ...(replicaOf ? { replicaOf, logRetentionDays: 0 } : logWindow(regions, region, facts.archived_at)),
    };
  } finally {
    await session.close();
  }
}

/** @throws NotFound when the region's server is a standby */
export async function describePrimary(regions: Regions, databaseId: DatabaseId, region: Region): Promise<LiveDatabase> {
  const live = await describeLive(regions, databaseId, region);
  if (live.replicaOf === undefined) return live;
  throw new NotFound(`${databaseId} in ${region} is a standby of ${live.replicaOf}`, { hint: 'Snapshots are taken of the primary.' });
}

function logWindow(regions: Regions, region: Region, archivedAt: Date | null) {
  const store = new SnapshotStore(regions.use(region));
  const timeline = archivedTimeline(store.region.paths.archive);
  const contents = store.list(regions.state.deployment).flatMap(({ snapshotId }) => store.sidecar(snapshotId)?.contents ?? []);
  const ends = contents.filter((each) => each.timeline === timeline).map(({ endedAt }) => endedAt);
  const [earliest] = ends.sort();
  return {
    logRetentionDays: LOG_KEPT_DAYS,
    ...(earliest === undefined ? {} : { earliestRestorableAt: new Date(earliest) }),
    ...(archivedAt === null ? {} : { latestRestorableAt: archivedAt }),
  };
}
