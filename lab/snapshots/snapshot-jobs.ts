import type { BackupKind, Snapshot } from '../../functions/backup/models.ts';
import type { SnapshotRef } from '../../functions/backup/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import { messageOf, NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import type { DatabaseId } from '../../functions/common/ids.ts';
import type { Background } from '../background.ts';
import { explainFileError } from '../errors.ts';
import { regionKey } from '../region.ts';
import type { Regions } from '../regions.ts';
import { reencryptObject } from './object.ts';
import type { SnapshotStore } from './store.ts';
import { takeSnapshot } from './take.ts';

export interface TakeOrder extends SnapshotRef {
  readonly databaseId: DatabaseId;
  readonly kind: BackupKind;
  readonly engineVersion: string;
  readonly lockedUntil?: Date;
}

/** Snapshots and copies in the making. They go on after the call that started them returned; one that fails says so in the store. */
export class SnapshotJobs {
  readonly #regions: Regions;
  readonly #clock: Clock;
  readonly #background: Background;

  constructor(regions: Regions, clock: Clock, background: Background) {
    this.#regions = regions;
    this.#clock = clock;
    this.#background = background;
  }

  /** Starts a snapshot of the live database, or finds the one of this id. */
  take(store: SnapshotStore, order: TakeOrder): Snapshot {
    const { snapshotId, databaseId, kind, engineVersion, lockedUntil } = order;
    const key = regionKey(store.region);
    const tags = { owner: this.#regions.state.deployment };
    const createdAt = this.#clock.now().toISOString();
    if (store.begin(snapshotId, { createdAt, databaseId, engineVersion, keyId: key.id, tags })) {
      const admin = this.#regions.address(store.region.name, 'admin');
      this.#run(store, snapshotId, async () => {
        const { stored, contents } = await takeSnapshot({
          ...{ region: store.region, admin, snapshotId, databaseId, kind, engineVersion, key },
          objectPath: store.partialObjectPath(snapshotId),
          onCaptured: () => store.update(snapshotId, { captured: true }),
        });
        const lock = lockedUntil === undefined ? {} : { lockedUntil: lockedUntil.toISOString() };
        store.commit(snapshotId, { snapshotId, createdAt, ...stored, keyId: key.id, tags, ...lock, contents });
      });
    }
    return this.#found(store, snapshotId);
  }

  /** Starts a copy under the target's key, or finds the one of this id. @throws NotFound when the source is not complete */
  copy(source: SnapshotStore, from: string, target: SnapshotStore, to: string): Snapshot {
    const contents = source.sidecar(from)?.contents;
    if (!contents) throw new NotFound(`there is no complete snapshot ${from} in ${source.region.name}`);
    const sourceKey = regionKey(source.region);
    const key = regionKey(target.region);
    const tags = { owner: this.#regions.state.deployment };
    const createdAt = this.#clock.now().toISOString();
    const { databaseId, engineVersion } = contents;
    if (target.begin(to, { createdAt, databaseId, engineVersion, keyId: key.id, tags })) {
      target.update(to, { captured: true });
      this.#run(target, to, async () => {
        const stored = await reencryptObject(source.objectPath(from), sourceKey, target.partialObjectPath(to), key);
        target.commit(to, { snapshotId: to, createdAt, ...stored, keyId: key.id, tags, contents });
      });
    }
    return this.#found(target, to);
  }

  #run(store: SnapshotStore, id: string, work: () => Promise<void>): void {
    const failed = (error: unknown) =>
      store.update(id, { status: 'failed', reason: messageOf(explainFileError(error, store.region.paths.root)) });
    this.#background.run(work().catch(failed));
  }

  #found(store: SnapshotStore, id: string): Snapshot {
    const found = store.describe(id, this.#regions.state.deployment);
    if (!found) throw new ServiceUnavailable(`snapshot ${id} in ${store.region.name} is being removed, or belongs to somebody else`);
    return found;
  }
}
