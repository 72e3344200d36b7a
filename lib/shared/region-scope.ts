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

/** Id and name of the Region's stack; others of the Region add a word of their own. */
export const stackId = ({ operations: { name }, region }: RegionScope): string =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)}-Codeblue-${region}`;

/** Whether this Region restores and judges backups. */
export const judges = ({ operations, region }: RegionScope): boolean => judgingRegions(operations).includes(region);

/** Where proofs and reports are copied to. Deployed before this Region, so that bucket and key exist: primary -> standby -> tertiary. */
export function replicaRegion({ operations: { regions }, role }: RegionScope): Region | undefined {
  return { primary: regions.standby, standby: regions.tertiary, tertiary: undefined }[role];
}

/** Where the audit log of this Region is copied to, in a ring: primary -> standby -> tertiary -> primary. */
export const logCopyRegion = ({ operations: { regions }, role }: RegionScope): Region =>
  ({ primary: regions.standby, standby: regions.tertiary, tertiary: regions.primary })[role];

/** The Region whose audit log is copied here. */
export const copiedLogRegion = ({ operations: { regions }, role }: RegionScope): Region =>
  ({ primary: regions.tertiary, standby: regions.primary, tertiary: regions.standby })[role];
