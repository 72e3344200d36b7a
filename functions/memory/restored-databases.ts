import { doesNotExpire, type RestoredDatabase } from '../backup/models.ts';
import type { Databases, RestoredRef, RestoreRequest } from '../backup/ports.ts';
import { InvalidInput } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import type { ControlPlane } from './control-plane.ts';
import { RestoredItem } from './database-items.ts';
import { items } from './items.ts';
import type { MemorySnapshots } from './snapshots.ts';

type RestoreMethods = Pick<Databases, 'restore' | 'restoreToTime' | 'describeRestored' | 'listRestored' | 'removeRestored'>;

export interface MemoryRestored extends RestoreMethods {
  set(ref: RestoredRef, facts: Partial<RestoredItem> & Pick<RestoredItem, 'databaseId'>): void;
}

export function memoryRestored(plane: ControlPlane, snapshots: Pick<MemorySnapshots, 'require'>): MemoryRestored {
  const { clock, owner, takes } = plane;
  const restored = items(plane.store, 'restored-databases', RestoredItem);
  const keyOf = (ref: RestoredRef) => `${ref.region}/${ref.restoredId}`;
  const find = (ref: RestoredRef): RestoredItem | undefined => {
    const found = restored.get(keyOf(ref))?.value;
    return found && !isGone(found, clock.now()) ? found : undefined;
  };

  function start(from: string, shows: Date, request: RestoreRequest): RestoredDatabase {
    const existing = find(request);
    if (existing) plane.assertOwned(existing, request.restoredId);
    const { region, restoredId, databaseId } = request;
    const now = clock.now();
    const times = { createdAt: timestamp(now), availableAt: plane.later(takes.restoreSeconds), expiresAt: timestamp(request.expiresAt) };
    const item = existing ?? { region, restoredId, databaseId, owner, from, shows: timestamp(shows), failed: false, ...times };
    if (!existing) restored.put(keyOf(request), item);
    return asRestored(item, now);
  }

  return {
    async restore(ref, request) {
      plane.inject('restore');
      if (ref.region !== request.region) throw new InvalidInput(`snapshot ${ref.snapshotId} is in ${ref.region}, not in ${request.region}`);
      const { snapshotId, capturedAt } = snapshots.require(ref);
      return start(snapshotId, new Date(capturedAt), request);
    },
    async restoreToTime(time, request) {
      plane.inject('restoreToTime');
      const { earliestRestorableAt, latestRestorableAt } = plane.describeLive(request.databaseId, request.region);
      if (!earliestRestorableAt || !latestRestorableAt || time < earliestRestorableAt || time > latestRestorableAt) {
        throw new InvalidInput(`${time.toISOString()} is outside the point-in-time window of ${request.databaseId}`);
      }
      return start(time.toISOString(), time, request);
    },
    async describeRestored(ref) {
      plane.inject('describeRestored');
      const found = find(ref);
      return found?.owner === owner ? asRestored(found, clock.now()) : undefined;
    },
    async listRestored(region) {
      plane.inject('listRestored');
      const now = clock.now();
      const owned = restored.list(`${region}/`).filter((item) => item.owner === owner && !isGone(item, now));
      return owned.map((item) => asRestored(item, now));
    },
    async removeRestored(ref) {
      plane.inject('removeRestored');
      const found = find(ref);
      if (!found) return;
      plane.assertOwned(found, ref.restoredId);
      if (found.standsIn?.deletionProtected) throw new InvalidInput(`${ref.restoredId} is protected from deletion`);
      if (!found.goneAt) restored.put(keyOf(ref), { ...found, goneAt: plane.later(takes.removeSeconds) });
    },
    set({ region, restoredId }, facts) {
      const now = timestamp(clock.now());
      const ref = { region, restoredId };
      const fresh = { ...ref, owner, createdAt: now, availableAt: now, expiresAt: now, failed: false, from: 'unknown' };
      restored.put(keyOf(ref), { ...fresh, ...find(ref), ...facts });
    },
  };
}

const isGone = (item: RestoredItem, now: Date): boolean => item.goneAt !== undefined && Date.parse(item.goneAt) <= now.getTime();

function asRestored(item: RestoredItem, now: Date): RestoredDatabase {
  const { region, restoredId, databaseId, reason } = item;
  const available = Date.parse(item.availableAt) <= now.getTime();
  const status = item.goneAt ? 'deleting' : item.failed ? 'failed' : available ? 'available' : 'creating';
  const times = { createdAt: new Date(item.createdAt), expiresAt: item.standsIn ? doesNotExpire : new Date(item.expiresAt) };
  return { region, restoredId, databaseId, status, ...(reason ? { reason } : {}), ...times };
}
