import type { Databases, SnapshotIntegrity, SnapshotRef } from '../backup/ports.ts';

export interface MemorySnapshotIntegrity extends SnapshotIntegrity {
  /** From now on `check` also reports this of that snapshot. */
  damage(ref: SnapshotRef, finding: string): void;
}

export function memorySnapshotIntegrity(databases: Pick<Databases, 'describeSnapshot'>): MemorySnapshotIntegrity {
  const damages = new Map<string, string[]>();
  const keyOf = (ref: SnapshotRef) => `${ref.region}/${ref.snapshotId}`;
  return {
    async check(ref) {
      const snapshot = await databases.describeSnapshot(ref);
      if (!snapshot) return [`there is no snapshot ${ref.snapshotId} of ours in ${ref.region}`];
      const findings: string[] = [];
      if (snapshot.status !== 'available') findings.push(`its status is ${snapshot.status}, not available`);
      if (!snapshot.encrypted) findings.push('it is not encrypted');
      if (snapshot.sizeBytes === 0) findings.push('its size is 0 bytes');
      return [...findings, ...(damages.get(keyOf(ref)) ?? [])];
    },
    damage(ref, finding) {
      damages.set(keyOf(ref), [...(damages.get(keyOf(ref)) ?? []), finding]);
    },
  };
}
