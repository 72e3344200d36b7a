import { expect } from 'vitest';
import type { BackupKind, RecoveryPoint, VerificationSummary } from '../../functions/backup/models.ts';
import { sweepOrphans } from '../../functions/backup/sweep-orphans.ts';
import { type Timestamp, timestamp, VerificationId } from '../../functions/common/ids.ts';
import { sha256Hex } from '../../functions/verify/proof.ts';
import type { MemoryWorld } from './host.ts';
import { aLocation, aRecoveryPoint, hms, home, standby } from './recovery-points.ts';

/** Bytes of no manifest: what follows snapshots carries them along unread. */
const manifestBytes = new TextEncoder().encode('a manifest');

const verdictAt = (at: Timestamp, outcome: 'verified' | 'refused'): VerificationSummary => ({
  verificationId: VerificationId.parse(`cbv-${at.replace(/\D/g, '')}`),
  outcome,
  at,
});

/** A recovery point that is in the inventory, with its manifest and its snapshots: at home, and in the standby Region where asked for. */
export async function storePoint(
  { ports }: MemoryWorld,
  requestedAt: Date,
  { kind = 'daily', verdict, copied = false, ...rest }: StoredPoint & Partial<RecoveryPoint> = {},
): Promise<RecoveryPoint> {
  const { id } = aRecoveryPoint(requestedAt, { kind });
  const judged = verdict ? { verdict: verdictAt(timestamp(requestedAt), verdict) } : {};
  const locations = [
    aLocation(id, { ...judged, ...(verdict === 'verified' ? { verifiedAt: timestamp(requestedAt) } : {}) }),
    ...(copied ? [aLocation(id, { region: standby, role: 'copy' })] : []),
  ];
  const point = aRecoveryPoint(requestedAt, {
    ...{ kind, locations, manifestSha256: sha256Hex(manifestBytes) },
    ...(judged.verdict ? { verification: judged.verdict } : {}),
    ...rest,
  });
  await ports.recoveryPoints.add(point);
  for (const { region, snapshotId, status } of point.locations) {
    await ports.manifests.put(region, id, manifestBytes);
    if (status === 'available') ports.databases.setSnapshot({ region, snapshotId }, { databaseId: hms, createdAt: timestamp(requestedAt) });
  }
  return point;
}

interface StoredPoint {
  readonly kind?: BackupKind;
  readonly verdict?: 'verified' | 'refused';
  readonly copied?: boolean;
}

/** `<Region>/<snapshot>` of every snapshot there is, sorted. */
export async function snapshotsOf({ ports }: MemoryWorld): Promise<readonly string[]> {
  const lists = await Promise.all([home, standby].map((region) => ports.databases.listSnapshots(region)));
  return lists
    .flat()
    .map(({ region, snapshotId }) => `${region}/${snapshotId}`)
    .sort();
}

/** The same of every available location that the inventory names. */
export async function ownedSnapshots({ ports }: MemoryWorld): Promise<readonly string[]> {
  const points = await ports.recoveryPoints.list(hms);
  return points
    .flatMap(({ locations }) => locations.filter(({ status }) => status === 'available').map((each) => `${each.region}/${each.snapshotId}`))
    .sort();
}

/** The sweeper of each Region, once everything is old enough for it. */
export async function sweepEverywhere(world: MemoryWorld): Promise<void> {
  world.clock.advance(2 * 3600);
  for (const region of [home, standby]) await world.pass(sweepOrphans, { region });
}

/** Every act that was begun has its outcome, but for at most one of each run that died. */
export async function expectActsClosed({ ports }: MemoryWorld, deaths: number): Promise<void> {
  const events = await ports.auditLog.recent(new Date(0), 10_000);
  const closed = new Set(events.filter(({ phase }) => phase === 'outcome').map(({ actId }) => actId));
  const open = events.filter(({ phase, actId }) => phase === 'intent' && !closed.has(actId));
  expect(open.length).toBeLessThanOrEqual(deaths);
  expect(events.filter(({ phase }) => phase === 'outcome').length + open.length).toBe(
    events.filter(({ phase }) => phase === 'intent').length,
  );
}
