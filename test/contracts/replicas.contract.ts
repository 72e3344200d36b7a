import { beforeEach, describe, expect, it } from 'vitest';
import type { Databases } from '../../functions/backup/ports.ts';
import { InvalidInput, NotFound, NotOwned, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { Epoch } from '../../functions/failover/models.ts';
import type { Replicas } from '../../functions/failover/ports.ts';

export interface ReplicasHarness {
  readonly replicas: Replicas;
  readonly databases: Databases;
  /** Lets everything that was started come to its end. */
  settle(): Promise<void>;
  /** Makes a replica beside the real one that Codeblue did not make. */
  addForeignReplica(region: Region, restoredId: string): Promise<void>;
}

const databaseId = DatabaseId.parse('hms');
const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');
const rehearsal = {
  databaseId,
  region: away,
  from: home,
  restoredId: 'cbv-hms-20261121t030000z-drill',
  expiresAt: new Date('2026-11-21T12:00:00.000Z'),
};

const copy = { databaseId, region: home, restoredId: 'cbv-hms-20261121t065000z-recovery' };

/** What the service behind a failover of an RDS database must do. */
export function replicasContract(make: () => Promise<ReplicasHarness>): void {
  describe('replicas', () => {
    let harness: ReplicasHarness;
    let replicas: Replicas;
    const standing = async (region: Region) => {
      await harness.settle();
      const { role, status } = await replicas.describe(databaseId, region);
      return { role, status };
    };
    const promote = () => replicas.promote({ databaseId, region: away, kind: 'failover' });
    /** As its step does: a state that passes is waited for. */
    async function rebuild(region: Region, from: Region): Promise<void> {
      for (let attempt = 0; attempt < 5; attempt++) {
        try {
          return await replicas.rebuild({ databaseId, region, from, epoch: Epoch.parse(2) });
        } catch (error) {
          if (!(error instanceof ServiceUnavailable)) throw error;
          await harness.settle();
        }
      }
      throw new Error('the rebuild did not begin');
    }
    const restoredCopy = async () => {
      const { latestRestorableAt } = await harness.databases.describe(databaseId, home);
      if (!latestRestorableAt) throw new Error('nothing to restore to');
      await harness.databases.restoreToTime(latestRestorableAt, { ...copy, expiresAt: new Date('2026-11-21T12:00:00.000Z') });
      await harness.settle();
      await harness.databases.describeRestored(copy);
      await harness.settle();
    };
    async function prepared(): Promise<void> {
      for (let call = 0; call < 12; call++) {
        const { role, status } = await replicas.prepareSwap(copy);
        if (role === 'primary' && status === 'available') return;
        expect(status).not.toBe('failed');
        await harness.settle();
      }
      throw new Error('the copy was not prepared');
    }
    async function swapped(): Promise<void> {
      for (let call = 0; call < 12; call++) {
        const { role, status } = await replicas.swapIn({ ...copy, epoch: Epoch.parse(8) });
        if (role === 'primary' && status === 'available') return;
        expect(status).not.toBe('failed');
        await harness.settle();
      }
      throw new Error('the copy was not swapped in');
    }
    beforeEach(async () => {
      harness = await make();
      ({ replicas } = harness);
    });

    it('tells the primary from its replica', async () => {
      expect(await standing(home)).toEqual({ role: 'primary', status: 'available' });
      expect(await standing(away)).toEqual({ role: 'replica', status: 'available' });
    });

    it('promotes, and promoting again is no error', async () => {
      await promote();
      expect(await standing(away)).toEqual({ role: 'primary', status: 'available' });
      await promote();
      expect(await standing(away)).toEqual({ role: 'primary', status: 'available' });
    });

    it('a promoted database can be restored to a moment, as its primary could', async () => {
      await promote();
      await harness.settle();
      const live = await harness.databases.describe(databaseId, away);
      expect(live.replicaOf).toBeUndefined();
      expect(live.logRetentionDays).toBeGreaterThanOrEqual(1);
    });

    it('rebuilds the old primary as a replica of the new one, and rebuilding again changes nothing', async () => {
      await promote();
      await harness.settle();
      await rebuild(home, away);
      expect(await standing(home)).toEqual({ role: 'replica', status: 'available' });
      await rebuild(home, away);
      expect(await standing(home)).toEqual({ role: 'replica', status: 'available' });
      expect(await standing(away)).toEqual({ role: 'primary', status: 'available' });
    });

    it('rehearses beside the real replica, which stays one', async () => {
      await replicas.createRehearsal(rehearsal);
      await replicas.createRehearsal(rehearsal);
      await harness.settle();
      expect((await harness.databases.listRestored(away)).map(({ restoredId }) => restoredId)).toEqual([rehearsal.restoredId]);
      await replicas.promoteRehearsal(rehearsal);
      await replicas.promoteRehearsal(rehearsal);
      expect(await standing(away)).toEqual({ role: 'replica', status: 'available' });
      await harness.databases.removeRestored(rehearsal);
      await harness.settle();
      expect(await harness.databases.describeRestored(rehearsal)).toBeUndefined();
    });

    it('prepares a restored copy, which no longer expires then and is removable still', async () => {
      await restoredCopy();
      await prepared();
      await prepared();
      expect((await harness.databases.describeRestored(copy))?.expiresAt.getUTCFullYear()).toBe(9999);
      expect(await standing(home)).toEqual({ role: 'primary', status: 'available' });
      await harness.databases.removeRestored(copy);
      await harness.settle();
      expect(await harness.databases.describeRestored(copy)).toBeUndefined();
    });

    it('puts a prepared copy in the place of the live database; again changes nothing', async () => {
      await restoredCopy();
      await prepared();
      await swapped();
      await swapped();
      expect(await standing(home)).toEqual({ role: 'primary', status: 'available' });
      expect(await harness.databases.describeRestored(copy)).toBeUndefined();
      expect(await harness.databases.listRestored(home)).toEqual([]);
      await harness.databases.removeRestored(copy);
      expect(await standing(home)).toEqual({ role: 'primary', status: 'available' });
      await rebuild(away, home);
      expect(await standing(away)).toEqual({ role: 'replica', status: 'available' });
    });

    it('nobody removes a copy once it is on its way into the place', async () => {
      await restoredCopy();
      await prepared();
      await replicas.swapIn({ ...copy, epoch: Epoch.parse(8) });
      await expect(harness.databases.removeRestored(copy)).rejects.toThrow(InvalidInput);
      await harness.settle();
      await swapped();
    });

    it('touches nothing for a copy that is not there, not prepared, or not its own', async () => {
      await expect(replicas.prepareSwap(copy)).rejects.toThrow(NotFound);
      await expect(replicas.swapIn({ ...copy, epoch: Epoch.parse(8) })).rejects.toThrow(NotFound);
      await restoredCopy();
      await expect(replicas.swapIn({ ...copy, epoch: Epoch.parse(8) })).rejects.toThrow(InvalidInput);
      await harness.addForeignReplica(away, copy.restoredId);
      await expect(replicas.prepareSwap({ ...copy, region: away })).rejects.toThrow(NotOwned);
      expect(await standing(home)).toEqual({ role: 'primary', status: 'available' });
    });

    it('exchanges no Aurora cluster', async () => {
      const request = { ...copy, databaseId: DatabaseId.parse('billing') };
      await expect(replicas.prepareSwap(request)).rejects.toThrow(InvalidInput);
      await expect(replicas.swapIn({ ...request, epoch: Epoch.parse(8) })).rejects.toThrow(InvalidInput);
    });

    it('promotes no rehearsal that is not there, or not its own', async () => {
      await expect(replicas.promoteRehearsal(rehearsal)).rejects.toThrow(NotFound);
      await harness.addForeignReplica(away, rehearsal.restoredId);
      await expect(replicas.promoteRehearsal(rehearsal)).rejects.toThrow(NotOwned);
    });
  });
}
