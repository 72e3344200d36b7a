import { beforeEach, describe, expect, it } from 'vitest';
import type { Databases } from '../../functions/backup/ports.ts';
import { NotFound, NotOwned, ServiceUnavailable } from '../../functions/common/errors.ts';
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

    it('promotes no rehearsal that is not there, or not its own', async () => {
      await expect(replicas.promoteRehearsal(rehearsal)).rejects.toThrow(NotFound);
      await harness.addForeignReplica(away, rehearsal.restoredId);
      await expect(replicas.promoteRehearsal(rehearsal)).rejects.toThrow(NotOwned);
    });
  });
}
