import type { DatabaseId, RecoveryPointId, Region } from '../common/ids.ts';
import { timestamp } from '../common/ids.ts';
import type { Ports } from '../common/ports.ts';
import { recoveryPointId, type Snapshot } from './models.ts';

/**
 * Asks for an emergency snapshot of a database that nobody may write a canary to any more, so it has no manifest. It has a line in the inventory like every backup: it
 * is copied, kept and expires as emergency backups do. Named by the request: asked for again, it is the same one.
 *
 * @param take carries the act out between its audit events; not called when the snapshot is there
 */
export async function emergencySnapshot(
  { databases, recoveryPoints }: Pick<Ports, 'databases' | 'recoveryPoints'>,
  wanted: { readonly databaseId: DatabaseId; readonly region: Region; readonly requestedAt: Date },
  take: (id: RecoveryPointId, perform: () => Promise<Snapshot>) => Promise<Snapshot>,
): Promise<{ readonly id: RecoveryPointId; readonly status: Snapshot['status'] }> {
  const { databaseId, region, requestedAt } = wanted;
  const id = recoveryPointId(databaseId, 'emergency', requestedAt);
  const ref = { region, snapshotId: id };
  const existing = await databases.describeSnapshot(ref);
  if (existing) return { id, status: existing.status };
  // The line first: the sweeper removes snapshots that no line names.
  if (!(await recoveryPoints.get(id))) {
    const location = { region, role: 'home' as const, snapshotId: id, keyId: 'pending', status: 'creating' as const };
    await recoveryPoints.add({
      ...{ id, databaseId, kind: 'emergency' as const, requestedAt: timestamp(requestedAt), locations: [location], version: 0 },
    });
  }
  const { status } = await take(id, () => databases.createSnapshot({ ...ref, databaseId, kind: 'emergency' }));
  return { id, status };
}
