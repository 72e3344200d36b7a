import type { Operations } from '../common/operations.ts';
import type { RecoveryPoint, RestoredDatabase, Snapshot } from './models.ts';

/** A snapshot younger than this may belong to a backup that is writing its inventory line right now. */
const graceSeconds = 3600;

export interface Orphan {
  readonly what: 'snapshot' | 'restored-database' | 'restored-table';
  readonly region: Operations['regions']['primary'];
  readonly id: string;
  readonly because: string;
}

/** Snapshots of ours that no live inventory line names. A line that failed or was removed does not keep its snapshot. */
export function orphanSnapshots(snapshots: readonly Snapshot[], points: readonly RecoveryPoint[], now: Date): readonly Orphan[] {
  const owned = new Set(
    points.flatMap((point) =>
      point.locations
        .filter((location) => location.status === 'creating' || location.status === 'available')
        .map((location) => `${location.region}/${location.snapshotId}`),
    ),
  );
  return snapshots
    .filter((snapshot) => !owned.has(`${snapshot.region}/${snapshot.snapshotId}`))
    .filter((snapshot) => now.getTime() - snapshot.createdAt.getTime() > graceSeconds * 1000)
    .map((snapshot) => ({
      what: 'snapshot',
      region: snapshot.region,
      id: snapshot.snapshotId,
      because: 'no line of the inventory names it',
    }));
}

/** Restored databases that outlived their expiry: the verification that made them is over or died. */
export function orphanRestores(restored: readonly RestoredDatabase[], now: Date): readonly Orphan[] {
  return restored
    .filter((database) => database.status !== 'deleting' && database.expiresAt <= now)
    .map((database) => ({
      what: 'restored-database',
      region: database.region,
      id: database.restoredId,
      because: `it expired at ${database.expiresAt.toISOString()}`,
    }));
}
