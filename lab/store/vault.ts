import type { LockedCopy, Vault } from '../../functions/backup/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import { after, type Duration } from '../../functions/common/duration.ts';
import type { Region } from '../../functions/common/ids.ts';
import { Background } from '../background.ts';
import { describePrimary } from '../live-database.ts';
import type { Regions } from '../regions.ts';
import { SnapshotJobs } from '../snapshots/snapshot-jobs.ts';
import { SnapshotStore } from '../snapshots/store.ts';

export interface LabVault extends Vault {
  /** @throws Locked before the copy's time has come, whoever asks */
  remove(region: Region, copyId: string): Promise<void>;
  settled(): Promise<void>;
}

/**
 * Locked copies: snapshots in a place of their own that refuses their removal until their time.
 * @param lockFor  how long a copy is locked; absent while the lock is only being simulated
 */
export function labVault(regions: Regions, clock: Clock, lockFor: Duration | undefined, background = new Background()): LabVault {
  const owner = regions.state.deployment;
  const jobs = new SnapshotJobs(regions, clock, background);
  const storeOf = (name: Region): SnapshotStore => {
    const region = regions.use(name);
    return new SnapshotStore(region, region.paths.vault);
  };
  return {
    async lock({ region, databaseId, recoveryPointId }) {
      const { engineVersion } = await describePrimary(regions, databaseId, region);
      const lock = lockFor === undefined ? {} : { lockedUntil: after(clock.now(), lockFor) };
      const order = { region, snapshotId: recoveryPointId, databaseId, kind: 'daily', engineVersion, ...lock } as const;
      return jobs.take(storeOf(region), order).snapshotId;
    },
    async list(region, databaseId) {
      const store = storeOf(region);
      return store
        .list(owner)
        .filter((copy) => copy.databaseId === databaseId)
        .map(({ snapshotId, createdAt, status }): LockedCopy => {
          const lockedUntil = store.sidecar(snapshotId)?.lockedUntil;
          return { copyId: snapshotId, createdAt, status, ...(lockedUntil === undefined ? {} : { lockedUntil: new Date(lockedUntil) }) };
        });
    },
    remove: async (region, copyId) => storeOf(region).remove(copyId, owner, clock.now()),
    settled: () => background.settled(),
  };
}
