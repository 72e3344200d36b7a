import { beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../functions/backup/models.ts';
import type { Databases, RestoredRef, SnapshotRef } from '../../functions/backup/ports.ts';
import { NotFound, NotOwned } from '../../functions/common/errors.ts';
import { type DatabaseId, Region } from '../../functions/common/ids.ts';

export interface DatabasesHarness {
  readonly databases: Databases;
  readonly databaseId: DatabaseId;
  /** Lets everything that was started come to its end. */
  settle(): Promise<void>;
  /** Makes a snapshot of the same database that carries somebody else's owner tag. */
  addForeignSnapshot(ref: SnapshotRef): Promise<void>;
  addForeignRestored(ref: RestoredRef): Promise<void>;
}

const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');
const nowhere = Region.parse('eu-west-1');
const expiresAt = new Date('2026-11-21T12:00:00.000Z');

/** What every control plane of databases must do; run for instances and for clusters. */
export function databasesContract(kind: string, make: () => Promise<DatabasesHarness>): void {
  describe(`databases: ${kind}`, () => {
    let harness: DatabasesHarness;
    let databases: Databases;
    let databaseId: DatabaseId;
    beforeEach(async () => {
      harness = await make();
      ({ databases, databaseId } = harness);
    });
    const snapshotRef = (region: Region = home, suffix = ''): SnapshotRef => ({
      region,
      snapshotId: `cb-${databaseId}-daily-20261121t070000z${suffix}`,
    });
    const restoredRef = (): RestoredRef => ({ region: home, restoredId: `cbv-${databaseId}-20261121t073000z-1` });
    const idsIn = async (region: Region) => (await databases.listSnapshots(region)).map(({ snapshotId }) => snapshotId);
    async function takeSnapshot(suffix = ''): Promise<Snapshot> {
      const snapshot = await databases.createSnapshot({ ...snapshotRef(home, suffix), databaseId, kind: 'daily' });
      await harness.settle();
      return snapshot;
    }
    async function untilAvailable(): Promise<void> {
      // As the machine does: looking is part of the way, and a restore may take several looks.
      for (let look = 0; look < 5; look++) {
        if ((await databases.describeRestored(restoredRef()))?.status === 'available') return;
        await harness.settle();
      }
      throw new Error('the restored database did not become available');
    }

    describe('the live database', () => {
      it('is described', async () => {
        const live = await databases.describe(databaseId, home);
        expect(live).toMatchObject({ databaseId, region: home, status: 'available', encrypted: true });
        expect(live.engineVersion).toMatch(/^\d+/);
        expect(live.logRetentionDays).toBeGreaterThan(0);
      });

      it('is not found where the config has none', async () => {
        await expect(databases.describe(databaseId, nowhere)).rejects.toThrow(NotFound);
        await expect(databases.createSnapshot({ ...snapshotRef(nowhere), databaseId, kind: 'daily' })).rejects.toThrow(NotFound);
      });
    });

    describe('snapshots', () => {
      it('become available under their own id', async () => {
        await takeSnapshot();
        const snapshot = await databases.describeSnapshot(snapshotRef());
        expect(snapshot).toMatchObject({ ...snapshotRef(), databaseId, status: 'available', captured: true, encrypted: true });
        expect(await idsIn(home)).toEqual([snapshotRef().snapshotId]);
      });

      it('are taken once under one id', async () => {
        const first = await takeSnapshot();
        const again = await takeSnapshot();
        expect(again.createdAt).toEqual(first.createdAt);
        expect(await idsIn(home)).toEqual([snapshotRef().snapshotId]);
      });

      it('that do not exist are undefined', async () => {
        expect(await databases.describeSnapshot(snapshotRef())).toBeUndefined();
      });

      it('of others are not shown, not adopted, not copied, not restored and not removed', async () => {
        await harness.addForeignSnapshot(snapshotRef());
        expect(await databases.describeSnapshot(snapshotRef())).toBeUndefined();
        expect(await idsIn(home)).toEqual([]);
        await expect(takeSnapshot()).rejects.toThrow(NotOwned);
        await expect(databases.copySnapshot(snapshotRef(), snapshotRef(away))).rejects.toThrow(NotOwned);
        await expect(databases.restore(snapshotRef(), { ...restoredRef(), databaseId, expiresAt })).rejects.toThrow(NotOwned);
        await expect(databases.removeSnapshot(snapshotRef())).rejects.toThrow(NotOwned);
      });

      it('are removed, and removing what is gone is no error', async () => {
        await takeSnapshot();
        await takeSnapshot('-2');
        await databases.removeSnapshot(snapshotRef());
        await harness.settle();
        await databases.removeSnapshot(snapshotRef());
        expect(await databases.describeSnapshot(snapshotRef())).toBeUndefined();
        expect(await idsIn(home)).toEqual([snapshotRef(home, '-2').snapshotId]);
      });
    });

    describe('copies', () => {
      it('are snapshots of the other Region under a key of that Region', async () => {
        await takeSnapshot();
        const source = await databases.describeSnapshot(snapshotRef());
        await databases.copySnapshot(snapshotRef(), snapshotRef(away));
        await harness.settle();
        const copy = await databases.describeSnapshot(snapshotRef(away));
        expect(copy).toMatchObject({ ...snapshotRef(away), databaseId, status: 'available', encrypted: true });
        expect(copy?.keyId).not.toBe(source?.keyId);
        expect(await idsIn(away)).toEqual([snapshotRef().snapshotId]);
      });

      it('are made once under one id', async () => {
        await takeSnapshot();
        const first = await databases.copySnapshot(snapshotRef(), snapshotRef(away));
        const again = await databases.copySnapshot(snapshotRef(), snapshotRef(away));
        expect(again.createdAt).toEqual(first.createdAt);
        expect(await idsIn(away)).toHaveLength(1);
      });

      it('survive the removal of their source', async () => {
        await takeSnapshot();
        await databases.copySnapshot(snapshotRef(), snapshotRef(away));
        await harness.settle();
        await databases.removeSnapshot(snapshotRef());
        expect(await databases.describeSnapshot(snapshotRef(away))).toMatchObject({ status: 'available', databaseId });
      });

      it('need a source', async () => {
        await expect(databases.copySnapshot(snapshotRef(), snapshotRef(away))).rejects.toThrow(NotFound);
      });
    });

    describe('restored databases', () => {
      const restore = () => databases.restore(snapshotRef(), { ...restoredRef(), databaseId, expiresAt });

      it('become available, with their expiry', async () => {
        await takeSnapshot();
        expect(await restore()).toMatchObject({ ...restoredRef(), databaseId, expiresAt });
        await untilAvailable();
        expect(await databases.describeRestored(restoredRef())).toMatchObject({ status: 'available', databaseId, expiresAt });
        expect(await databases.listRestored(home)).toHaveLength(1);
      });

      it('are made once under one id', async () => {
        await takeSnapshot();
        const first = await restore();
        expect((await restore()).createdAt).toEqual(first.createdAt);
        expect(await databases.listRestored(home)).toHaveLength(1);
      });

      it('need a snapshot', async () => {
        await expect(restore()).rejects.toThrow(NotFound);
      });

      it('come from a moment in the log too', async () => {
        const { latestRestorableAt } = await databases.describe(databaseId, home);
        const time = new Date((latestRestorableAt ?? new Date()).getTime() - 1000);
        await databases.restoreToTime(time, { ...restoredRef(), databaseId, expiresAt });
        await untilAvailable();
        expect((await databases.listRestored(home)).map(({ restoredId }) => restoredId)).toEqual([restoredRef().restoredId]);
      });

      it('are removed to the last part, and removing what is gone is no error', async () => {
        await takeSnapshot();
        await restore();
        await untilAvailable();
        await databases.removeRestored(restoredRef());
        await databases.removeRestored(restoredRef());
        await harness.settle();
        expect(await databases.describeRestored(restoredRef())).toBeUndefined();
        expect(await databases.listRestored(home)).toEqual([]);
        await databases.removeRestored(restoredRef());
      });

      it('of others are not shown, not adopted and not removed; the live one neither', async () => {
        await takeSnapshot();
        await harness.addForeignRestored(restoredRef());
        expect(await databases.listRestored(home)).toEqual([]);
        expect(await databases.describeRestored(restoredRef())).toBeUndefined();
        await expect(restore()).rejects.toThrow(NotOwned);
        await expect(databases.removeRestored(restoredRef())).rejects.toThrow(NotOwned);
      });
    });
  });
}
