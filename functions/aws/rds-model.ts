import { RDSClient } from '@aws-sdk/client-rds';
import type { LiveDatabase, RestoredDatabase, Snapshot } from '../backup/models.ts';
import type { RestoredRef, RestoreRequest, SnapshotRef } from '../backup/ports.ts';
import { DatabaseId, type Region } from '../common/ids.ts';
import { tagKeys } from '../common/names.ts';
import type { Database } from '../common/operations.ts';
import { clientOptions, perRegion } from './client-options.ts';

export const rdsIn = perRegion((region) => new RDSClient(clientOptions(region)));

export const GIBIBYTE = 1_073_741_824;

interface RdsTag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}
export type Tags = ReadonlyMap<string, string>;

export const tagsOf = (list: readonly RdsTag[] | undefined): Tags => new Map((list ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));

/** Tags of a thing that Codeblue makes; `expiresAt` for temporary ones. */
export function ownTags(owner: string, databaseId: DatabaseId, expiresAt?: Date): { Key: string; Value: string }[] {
  const tags = [
    { Key: tagKeys.owner, Value: owner },
    { Key: tagKeys.database, Value: databaseId },
  ];
  return expiresAt ? [...tags, { Key: tagKeys.expires, Value: expiresAt.toISOString() }] : tags;
}

/** A snapshot with what the port does not show: its tags, engine, and whether it is a copy. */
export interface RdsSnapshot {
  readonly snapshot: Omit<Snapshot, 'databaseId'>;
  /** As RDS names it: `creating`, `available`, `copying`, `failed`, ... */
  readonly rdsStatus: string;
  readonly tags: Tags;
  readonly engine: string;
  readonly isCopy: boolean;
}

export interface RdsRestored {
  readonly restored: Omit<RestoredDatabase, 'databaseId' | 'expiresAt'>;
  readonly tags: Tags;
}

/** Where restored databases go, and with which key their secret is encrypted. */
export interface Isolation {
  readonly subnetGroup: string;
  readonly securityGroupId: string;
  readonly keyAlias: string;
}

/** Instances and Aurora clusters have calls of their own for the same acts; behind this they are alike. */
export interface RdsKind {
  readonly engine: string;
  describeLive(identifier: string, region: Region): Promise<Omit<LiveDatabase, 'databaseId' | 'region'>>;
  createSnapshot(ref: SnapshotRef, identifier: string, tags: { Key: string; Value: string }[]): Promise<void>;
  findSnapshot(ref: SnapshotRef): Promise<RdsSnapshot | undefined>;
  listSnapshots(region: Region): Promise<readonly RdsSnapshot[]>;
  copySnapshot(from: SnapshotRef, to: SnapshotRef, keyAlias: string, tags: { Key: string; Value: string }[]): Promise<void>;
  deleteSnapshot(ref: SnapshotRef): Promise<void>;
  restore(snapshotId: string, request: RestoreRequest, database: Database, isolation: Isolation, tags: RdsTag[]): Promise<void>;
  restoreToTime(
    time: Date,
    source: string,
    request: RestoreRequest,
    database: Database,
    isolation: Isolation,
    tags: RdsTag[],
  ): Promise<void>;
  findRestored(ref: RestoredRef): Promise<RdsRestored | undefined>;
  listRestored(region: Region): Promise<readonly RdsRestored[]>;
  /** Does what RDS accepts only after the restore itself is done; nothing when there is nothing left to do. */
  finishRestore(ref: RestoredRef, database: Database, keyAlias: string): Promise<void>;
  deleteRestored(ref: RestoredRef): Promise<void>;
  /** Where the live database answers: an instance's endpoint, a cluster's writer endpoint, a secondary cluster's reader endpoint. @throws NotFound */
  liveHost(identifier: string, region: Region): Promise<string>;
  /** Ids of the security groups that the live database wears. @throws NotFound */
  securityGroups(identifier: string, region: Region): Promise<readonly string[]>;
  /** Endpoint and managed secret of a restored database; undefined while either is missing. */
  access(ref: RestoredRef): Promise<{ readonly host: string; readonly port: number; readonly secretArn: string } | undefined>;
}

/** States in which a restore will not become available any more. */
const failedStates = new Set([
  ...['failed', 'restore-error', 'incompatible-restore', 'incompatible-parameters', 'incompatible-network', 'incompatible-option-group'],
  ...['inaccessible-encryption-credentials', 'inaccessible-encryption-credentials-recoverable', 'storage-full', 'cloning-failed'],
  'insufficient-capacity',
]);

/** `available` only once it can be logged into: the managed secret must be active too. */
export function restoredStatus(rdsStatus: string, secretStatus: string | undefined): RestoredDatabase['status'] {
  if (rdsStatus === 'deleting') return 'deleting';
  if (failedStates.has(rdsStatus)) return 'failed';
  return rdsStatus === 'available' && secretStatus === 'active' ? 'available' : 'creating';
}

export function snapshotStatus(rdsStatus: string): Snapshot['status'] {
  if (rdsStatus === 'available') return 'available';
  return /^(failed|incompatible)/.test(rdsStatus) ? 'failed' : 'creating';
}

/** The database that a tagged thing belongs to, when this deployment made it. */
export function ownedDatabase(tags: Tags, owner: string): DatabaseId | undefined {
  return tags.get(tagKeys.owner) === owner ? DatabaseId.safeParse(tags.get(tagKeys.database)).data : undefined;
}

const alreadyExists = /^DB(Instance|Cluster|Snapshot|ClusterSnapshot)AlreadyExists(Fault|Exception)?$/;
/** True for the error of a create call whose identifier is taken. */
export const isAlreadyExists = (errorName: string): boolean => alreadyExists.test(errorName);
