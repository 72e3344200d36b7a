import type { Snapshot } from '../backup/models.ts';
import type { Databases, SnapshotRef } from '../backup/ports.ts';
import { InvalidInput, Locked, NotFound } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import type { ControlPlane } from './control-plane.ts';
import { SnapshotItem } from './database-items.ts';
import { items } from './items.ts';

type SnapshotMethods = Pick<Databases, 'createSnapshot' | 'describeSnapshot' | 'listSnapshots' | 'copySnapshot' | 'removeSnapshot'>;

export interface MemorySnapshots extends SnapshotMethods {
  /** The snapshot to restore from. @throws NotFound, NotOwned */
  require(ref: SnapshotRef): SnapshotItem;
  set(ref: SnapshotRef, facts: Partial<SnapshotItem> & Pick<SnapshotItem, 'databaseId'>): void;
}

export function memorySnapshots(plane: ControlPlane): MemorySnapshots {
  const { clock, owner, takes } = plane;
  const snapshots = items(plane.store, 'snapshots', SnapshotItem);
  const keyOf = (ref: SnapshotRef) => `${ref.region}/${ref.snapshotId}`;
  const find = (ref: SnapshotRef) => snapshots.get(keyOf(ref))?.value;

  function require(ref: SnapshotRef): SnapshotItem {
    const found = find(ref);
    if (!found) throw new NotFound(`there is no snapshot ${ref.snapshotId} in ${ref.region}`);
    plane.assertOwned(found, ref.snapshotId);
    return found;
  }

  /** What is there under that id, or a new one with `facts`. */
  function start(
    ref: SnapshotRef,
    facts: Omit<SnapshotItem, 'owner' | 'region' | 'snapshotId' | 'createdAt' | 'failed' | 'encrypted'>,
  ): Snapshot {
    const existing = find(ref);
    if (existing) plane.assertOwned(existing, ref.snapshotId);
    const { region, snapshotId } = ref;
    const now = timestamp(clock.now());
    const item = existing ?? { ...facts, region, snapshotId, owner, createdAt: now, failed: false, encrypted: true };
    if (!existing) snapshots.put(keyOf(ref), item, 'absent');
    return asSnapshot(item, clock.now());
  }

  return {
    require,
    async createSnapshot({ databaseId, kind, ...ref }) {
      plane.inject('createSnapshot');
      const { sizeBytes, engineVersion } = plane.describeLive(databaseId, ref.region);
      const times = { capturedAt: plane.later(takes.captureSeconds), availableAt: plane.later(takes.snapshotSeconds) };
      return start(ref, { databaseId, kind, ...times, sizeBytes, engineVersion, keyId: `storage-key/${ref.region}` });
    },
    async describeSnapshot(ref) {
      plane.inject('describeSnapshot');
      const found = find(ref);
      return found?.owner === owner ? asSnapshot(found, clock.now()) : undefined;
    },
    async listSnapshots(region) {
      plane.inject('listSnapshots');
      const owned = snapshots.list(`${region}/`).filter((item) => item.owner === owner);
      return owned.map((item) => asSnapshot(item, clock.now()));
    },
    async copySnapshot(from, to) {
      plane.inject('copySnapshot');
      const source = require(from);
      if (asSnapshot(source, clock.now()).status !== 'available') {
        throw new InvalidInput(`snapshot ${from.snapshotId} in ${from.region} is not available, so it cannot be copied`);
      }
      const { databaseId, kind, sizeBytes, engineVersion } = source;
      const times = { capturedAt: timestamp(clock.now()), availableAt: plane.later(takes.copySeconds) };
      return start(to, { databaseId, kind, ...times, sizeBytes, engineVersion, keyId: `backup-key/${to.region}` });
    },
    async removeSnapshot(ref) {
      plane.inject('removeSnapshot');
      const found = find(ref);
      if (!found) return;
      plane.assertOwned(found, ref.snapshotId);
      if (found.lockedUntil && Date.parse(found.lockedUntil) > clock.now().getTime()) {
        throw new Locked(`${ref.snapshotId} is locked until ${found.lockedUntil}`);
      }
      snapshots.delete(keyOf(ref));
    },
    set({ region, snapshotId }, facts) {
      const now = timestamp(clock.now());
      const times = { createdAt: now, capturedAt: now, availableAt: now };
      const state = { owner, failed: false, sizeBytes: 1, engineVersion: '16.4', encrypted: true, keyId: `storage-key/${region}` };
      const ref = { region, snapshotId };
      snapshots.put(keyOf(ref), { ...ref, ...times, ...state, ...find(ref), ...facts });
    },
  };
}

function asSnapshot(item: SnapshotItem, now: Date): Snapshot {
  const { region, snapshotId, databaseId, sizeBytes, engineVersion, encrypted, keyId, failed } = item;
  const available = Date.parse(item.availableAt) <= now.getTime();
  return {
    ...{ region, snapshotId, databaseId, sizeBytes, engineVersion, encrypted, keyId },
    status: failed ? 'failed' : available ? 'available' : 'creating',
    captured: !failed && Date.parse(item.capturedAt) <= now.getTime(),
    createdAt: new Date(item.createdAt),
  };
}
