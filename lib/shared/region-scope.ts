import type { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';

/** What a Region is for. Backups are taken, restored and judged in the primary and the standby; the tertiary keeps copies and state. */
export type RegionRole = 'primary' | 'standby' | 'tertiary';

/** The deployment, seen from one of its Regions. */
export interface RegionScope {
  readonly operations: Operations;
  readonly region: Region;
  readonly role: RegionRole;
}

/** The three Regions in the order they are deployed: replicas and replication targets exist before what points at them. */
export function deploymentOrder(operations: Operations): readonly RegionScope[] {
  const { primary, standby, tertiary } = operations.regions;
  return [
    { operations, region: tertiary, role: 'tertiary' },
    { operations, region: standby, role: 'standby' },
    { operations, region: primary, role: 'primary' },
  ];
}

/** Regions that can hold live databases and that restore and judge backups. */
export const databaseRegions = ({ regions }: Operations): readonly Region[] => [regions.primary, regions.standby];
