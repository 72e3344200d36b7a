import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../functions/backup/models.ts';
import { orphanRestores, orphanSnapshots } from '../../functions/backup/orphans.ts';
import { aLocation, aRecoveryPoint, hms, home } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const minutesAgo = (count: number) => new Date(now.getTime() - count * 60_000);
const aSnapshot = (snapshotId: string, createdAt: Date): Snapshot => ({
  region: home,
  snapshotId,
  databaseId: hms,
  status: 'available',
  captured: true,
  createdAt,
  sizeBytes: 1,
  engineVersion: '18',
  encrypted: true,
  keyId: 'key',
});

describe('orphans', () => {
  const point = aRecoveryPoint(minutesAgo(600));

  it('finds a snapshot that the inventory does not name', () => {
    const found = orphanSnapshots([aSnapshot(point.id, minutesAgo(600)), aSnapshot('cb-stray', minutesAgo(600))], [point], now);
    expect(found.map((orphan) => orphan.id)).toEqual(['cb-stray']);
  });

  it.each(['failed', 'removed'] as const)('finds a snapshot whose line says %s', (status) => {
    const line = { ...point, locations: [aLocation(point.id, { status })] };
    expect(orphanSnapshots([aSnapshot(point.id, minutesAgo(600))], [line], now)).toHaveLength(1);
  });

  it('leaves a young snapshot to the backup that may still be writing its line', () => {
    expect(orphanSnapshots([aSnapshot('cb-new', minutesAgo(59))], [], now)).toEqual([]);
  });

  it('finds a restored database past its expiry and leaves one in use', () => {
    const restored = (restoredId: string, expiresAt: Date) => ({
      region: home,
      restoredId,
      databaseId: hms,
      status: 'available' as const,
      createdAt: minutesAgo(600),
      expiresAt,
    });
    const found = orphanRestores([restored('cbv-old', minutesAgo(1)), restored('cbv-used', minutesAgo(-1))], now);
    expect(found.map((orphan) => orphan.id)).toEqual(['cbv-old']);
  });
});
