import { beforeEach, describe, expect, it } from 'vitest';
import { type RecoveryPoint, recoveryPointId } from '../../functions/backup/models.ts';
import type { RecoveryPoints } from '../../functions/backup/ports.ts';
import { Conflict, InvalidInput } from '../../functions/common/errors.ts';
import { DatabaseId, RecoveryPointId } from '../../functions/common/ids.ts';
import { aRecoveryPoint, hms } from '../support/recovery-points.ts';

function recoveryPoint(requestedAt: string, { databaseId = hms, kind = 'daily', ...facts }: Partial<RecoveryPoint> = {}): RecoveryPoint {
  const time = new Date(requestedAt);
  return aRecoveryPoint(time, { id: recoveryPointId(databaseId, kind, time), databaseId, kind, ...facts });
}

/** What every inventory must do. */
export function recoveryPointsContract(makePort: () => Promise<RecoveryPoints>): void {
  describe('the inventory', () => {
    let points: RecoveryPoints;
    beforeEach(async () => {
      points = await makePort();
    });

    it('gives back exactly what was added', async () => {
      const point = recoveryPoint('2026-11-21T07:00:00Z', {
        engineVersion: '16.4',
        sizeBytes: 107_374_182_400,
        contentRoot: 'ab'.repeat(32),
      });
      await points.add(point);
      expect(await points.get(point.id)).toEqual(point);
    });

    it('knows nothing of a point that was not added, whatever its id', async () => {
      expect(await points.get(recoveryPoint('2026-11-21T07:00:00Z').id)).toBeUndefined();
      expect(await points.get(RecoveryPointId.parse('cb-something-else'))).toBeUndefined();
    });

    it('refuses to add one twice', async () => {
      const point = recoveryPoint('2026-11-21T07:00:00Z');
      await points.add(point);
      await expect(points.add({ ...point, engineVersion: '17.0' })).rejects.toThrow(Conflict);
      expect(await points.get(point.id)).toEqual(point);
    });

    it('refuses a point whose id names another database', async () => {
      await expect(points.add({ ...recoveryPoint('2026-11-21T07:00:00Z'), databaseId: DatabaseId.parse('billing') })).rejects.toThrow(
        InvalidInput,
      );
    });

    it('refuses a point that is not one', async () => {
      await expect(points.add({ ...recoveryPoint('2026-11-21T07:00:00Z'), sizeBytes: -1 })).rejects.toThrow(InvalidInput);
    });

    it('raises the version with each update', async () => {
      const point = recoveryPoint('2026-11-21T07:00:00Z');
      await points.add(point);
      const second = await points.update({ ...point, engineVersion: '16.4' });
      const third = await points.update({ ...second, sizeBytes: 5 });
      expect([second.version, third.version]).toEqual([1, 2]);
      expect(await points.get(point.id)).toEqual({ ...point, engineVersion: '16.4', sizeBytes: 5, version: 2 });
    });

    it('lets one of two writers win that read the same version', async () => {
      const point = recoveryPoint('2026-11-21T07:00:00Z');
      await points.add(point);
      const outcomes = await Promise.allSettled([points.update({ ...point, sizeBytes: 1 }), points.update({ ...point, sizeBytes: 2 })]);
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(1);
      expect(lost[0]?.reason).toBeInstanceOf(Conflict);
      expect((await points.get(point.id))?.version).toBe(1);
    });

    it('refuses to update what was never added', async () => {
      await expect(points.update(recoveryPoint('2026-11-21T07:00:00Z'))).rejects.toThrow(Conflict);
    });

    it('lists the points of one database, newest request first, removed ones included', async () => {
      const daily = recoveryPoint('2026-11-20T07:00:00Z');
      const removed = { ...daily, locations: daily.locations.map((location) => ({ ...location, status: 'removed' as const })) };
      const sixHourly = recoveryPoint('2026-11-21T01:00:00Z', { kind: 'six-hourly' });
      const emergency = recoveryPoint('2026-11-20T23:00:00Z', { kind: 'emergency' });
      const billing = recoveryPoint('2026-11-21T02:00:00Z', { databaseId: DatabaseId.parse('billing') });
      // A name that begins like the other one must not leak into its list.
      const archive = recoveryPoint('2026-11-21T03:00:00Z', { databaseId: DatabaseId.parse('hms-archive') });
      for (const point of [removed, sixHourly, emergency, billing, archive]) await points.add(point);
      expect(await points.list(hms)).toEqual([sixHourly, emergency, removed]);
    });
  });
}
