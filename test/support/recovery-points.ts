import { type BackupKind, type Location, type RecoveryPoint, recoveryPointId } from '../../functions/backup/models.ts';
import { DatabaseId, Region, timestamp, VerificationId } from '../../functions/common/ids.ts';

export const home = Region.parse('us-east-1');
export const standby = Region.parse('us-west-2');
export const hms = DatabaseId.parse('hms');

/** A recovery point with one available home snapshot; say what differs. */
export function aRecoveryPoint(
  requestedAt: Date,
  {
    kind = 'daily',
    verdict,
    ...rest
  }: { readonly kind?: BackupKind; readonly verdict?: 'verified' | 'refused' } & Partial<RecoveryPoint> = {},
): RecoveryPoint {
  const id = recoveryPointId(hms, kind, requestedAt);
  return {
    id,
    databaseId: hms,
    kind,
    requestedAt: timestamp(requestedAt),
    locations: [aLocation(id)],
    manifestSha256: 'a'.repeat(64),
    version: 0,
    ...(verdict
      ? { verification: { verificationId: VerificationId.parse(`cbv-${id}`), outcome: verdict, at: timestamp(requestedAt) } }
      : {}),
    ...rest,
  };
}

export const aLocation = (snapshotId: string, rest: Partial<Location> = {}): Location => ({
  region: home,
  role: 'home',
  snapshotId,
  keyId: 'key',
  status: 'available',
  ...rest,
});
