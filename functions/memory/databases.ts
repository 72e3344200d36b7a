import type { LiveDatabase } from '../backup/models.ts';
import type { Databases, RestoredRef, SnapshotRef } from '../backup/ports.ts';
import type { DatabaseId, Region } from '../common/ids.ts';
import { type ControlPlaneSettings, controlPlane } from './control-plane.ts';
import type { RestoredItem, SnapshotItem } from './database-items.ts';
import { memoryRestored } from './restored-databases.ts';
import { memorySnapshots } from './snapshots.ts';

/** The modelled control plane, with handles by which a test makes it misbehave. */
export interface MemoryDatabases extends Databases {
  /** The next call of that method throws `error`, before it does anything. Several are thrown in order. */
  failNext(method: keyof Databases, error: Error): void;
  /** Changes facts of a live database, as somebody could in the console. */
  setLive(databaseId: DatabaseId, region: Region, facts: Partial<LiveDatabase>): void;
  /** Changes or adds a snapshot: another owner, a failure, a lock, missing encryption. */
  setSnapshot(ref: SnapshotRef, facts: Partial<SnapshotItem> & Pick<SnapshotItem, 'databaseId'>): void;
  /** Changes or adds a restored database. */
  setRestored(ref: RestoredRef, facts: Partial<RestoredItem> & Pick<RestoredItem, 'databaseId'>): void;
}

/**
 * A database service whose work takes the time of its clock: a snapshot 5 min (captured after 20 s), a copy 15 min, a restore
 * 10 min, a removal 2 min, unless `timings` say otherwise. Live databases are as the config describes them.
 */
export function memoryDatabases(settings: ControlPlaneSettings): MemoryDatabases {
  const plane = controlPlane(settings);
  const { require, set: setSnapshot, ...snapshots } = memorySnapshots(plane);
  const { set: setRestored, ...restored } = memoryRestored(plane, { require });
  return {
    async describe(databaseId, region) {
      plane.inject('describe');
      return plane.describeLive(databaseId, region);
    },
    ...snapshots,
    ...restored,
    failNext(method, error) {
      plane.failures.set(method, [...(plane.failures.get(method) ?? []), error]);
    },
    setLive(databaseId, region, facts) {
      plane.live.set(`${region}/${databaseId}`, { ...plane.live.get(`${region}/${databaseId}`), ...facts });
    },
    setSnapshot,
    setRestored,
  };
}
