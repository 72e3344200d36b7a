import type { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { judgingRegions } from '../../functions/verify/judging-regions.ts';

/** What a Region is for. Tasks of the active Region can run in the primary and the standby; the tertiary keeps copies and state. */
type RegionRole = 'primary' | 'standby' | 'tertiary';

/** The deployment, seen from one of its Regions. */
export interface RegionScope {
  readonly operations: Operations;
  readonly region: Region;
  readonly role: RegionRole;
  /** For what must work while every other Region is gone: not even a look at another Region is granted. */
  readonly staysHome?: boolean;
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

/** Whether this Region restores and judges backups. */
export const judges = ({ operations, region }: RegionScope): boolean => judgingRegions(operations).includes(region);

/** Where buckets are copied to. Deployed before this Region, so that bucket and key exist: primary -> standby -> tertiary. */
export function replicaRegion({ operations: { regions }, role }: RegionScope): Region | undefined {
  return { primary: regions.standby, standby: regions.tertiary, tertiary: undefined }[role];
}

/** The Region whose buckets are copied here. */
export function copiedRegion({ operations: { regions }, role }: RegionScope): Region | undefined {
  return { primary: undefined, standby: regions.primary, tertiary: regions.standby }[role];
}
