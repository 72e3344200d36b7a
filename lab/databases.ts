import type { Databases } from '../functions/backup/ports.ts';
import type { Clock } from '../functions/common/clock.ts';
import { NotFound } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import { Background } from './background.ts';
import { describeLive, describePrimary } from './live-database.ts';
import { regionKey } from './region.ts';
import type { Regions } from './regions.ts';
import { Restores } from './restore/restores.ts';
import { archiveUntil } from './snapshots/archive-until.ts';
import { archivedTimeline } from './snapshots/archived-timeline.ts';
import { SnapshotJobs } from './snapshots/snapshot-jobs.ts';
import { SnapshotStore } from './snapshots/store.ts';

export interface LabDatabases extends Databases {
  /** Waits for what this process started in the background: snapshots, copies, restores. */
  settled(): Promise<void>;
  /** Why a snapshot failed. */
  snapshotFailure(region: Region, snapshotId: string): string | undefined;
}

/**
 * The `Databases` port on the lab's real servers: base backups as encrypted objects, restores into servers of their own.
 * The log of the live server is kept as long as the lab runs, so the window of point-in-time restore opens when the oldest snapshot ends.
 */
export function labDatabases(regions: Regions, clock: Clock, background = new Background()): LabDatabases {
  const owner = regions.state.deployment;
  const jobs = new SnapshotJobs(regions, clock, background);
  const restores = new Restores(regions, clock, background);
  const storeOf = (region: Region): SnapshotStore => new SnapshotStore(regions.use(region));
  return {
    describe: (databaseId, region) => describeLive(regions, databaseId, region),
    async createSnapshot(request) {
      const { engineVersion } = await describePrimary(regions, request.databaseId, request.region);
      return jobs.take(storeOf(request.region), { ...request, engineVersion });
    },
    describeSnapshot: async ({ region, snapshotId }) => storeOf(region).describe(snapshotId, owner),
    listSnapshots: async (region) => storeOf(region).list(owner),
    copySnapshot: async (from, to) => jobs.copy(storeOf(from.region), from.snapshotId, storeOf(to.region), to.snapshotId),
    removeSnapshot: async ({ region, snapshotId }) => storeOf(region).remove(snapshotId, owner, clock.now()),
    snapshotFailure: (region, snapshotId) => storeOf(region).reason(snapshotId),

    restore: (snapshot, request) =>
      restores.start(request, async () => {
        const store = storeOf(snapshot.region);
        if (store.describe(snapshot.snapshotId, owner)?.status === 'available') {
          return { object: store.objectPath(snapshot.snapshotId), key: regionKey(store.region) };
        }
        throw new NotFound(`there is no complete snapshot ${snapshot.snapshotId} in ${snapshot.region}`);
      }),
    async restoreToTime(time, request) {
      regions.checkDatabase(request.databaseId);
      return restores.start(request, async () => {
        const store = storeOf(regions.primary);
        const base = newestBefore(store, owner, time);
        await archiveUntil(regions, time);
        const target = { time, archiveDir: store.region.paths.archive };
        return { object: store.objectPath(base), key: regionKey(store.region), target };
      });
    },
    describeRestored: async (ref) => restores.describe(ref),
    listRestored: async (region) => restores.list(region),
    removeRestored: (ref) => restores.remove(ref),

    settled: () => background.settled(),
  };
}

/**
 * Recovery can only go forward: it starts from the newest backup that had ended by then. Those that came here from another server's
 * history are of no use: the log that follows them was archived there.
 */
function newestBefore(store: SnapshotStore, owner: string, time: Date): string {
  const [newest] = store
    .list(owner)
    .flatMap(({ snapshotId }) => {
      const { endedAt, timeline } = store.sidecar(snapshotId)?.contents ?? {};
      if (endedAt === undefined || timeline !== archivedTimeline(store.region.paths.archive)) return [];
      return Date.parse(endedAt) > time.getTime() ? [] : [{ snapshotId, endedAt }];
    })
    .sort((a, b) => (a.endedAt < b.endedAt ? 1 : -1));
  if (newest) return newest.snapshotId;
  throw new NotFound(`no snapshot in ${store.region.name} had ended by ${time.toISOString()}`, {
    hint: 'The window opens when the oldest snapshot ends.',
  });
}
