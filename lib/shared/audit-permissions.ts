import {
  auditBucketName,
  auditKeyAlias,
  auditLogTableIndexes,
  auditLogTableKeys,
  auditLogTableName,
  auditTableIndexes,
  auditTableKeys,
  auditTableName,
  backupKeyAlias,
  partitionOf,
  stateKeyAlias,
  stateTableName,
} from '../../functions/common/names.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import type { Need } from '../../functions/common/ports.ts';
import { type Grant, grant } from './grant.ts';
import { dataKeyActions, keysThroughService } from './key-grants.ts';
import type { RegionScope } from './region-scope.ts';

type AuditPort = 'audit-events' | 'audit-head' | 'audit-queue' | 'audit-objects' | 'audit-watch-memory' | 'checkpoint-signer' | 'witnesses';
export type AuditNeed = Extract<Need, `${AuditPort}:${string}`>;

const auditNeed = /^(audit-events|audit-head|audit-queue|audit-objects|audit-watch-memory|checkpoint-signer|witnesses):/;
export const isAuditNeed = (need: Need): need is AuditNeed => auditNeed.test(need);

/** Lines of the state table that hold what was seen of a log last: whoever can write the log must not be able to write them. */
export const watchMemoryKeys = ['audit-seen#*', 'audit-watch#*'] as const;

/** Paths of partial tiles and bundles, the only objects of the log that are ever removed, as IAM writes them. */
export const partialPaths = '*/tile/*.p/*';

/** Ids of Codeblue's own acts are UUIDs of version 8 (functions/audit/events/act-event.ts); those of applications are of 4 or 7. */
const ownEventIds = '????????-????-8???-????-????????????';

const tableIn = ({ operations, region }: RegionScope, name: string): string =>
  `arn:${partitionOf(region)}:dynamodb:${region}:${operations.account}:table/${name}`;
const eventsTable = (scope: RegionScope): string => tableIn(scope, auditTableName(scope.operations));
const logTable = (scope: RegionScope): string => tableIn(scope, auditLogTableName(scope.operations));
const tableKeys = (scope: RegionScope): Grant =>
  keysThroughService(scope, [scope.region], stateKeyAlias(scope.operations), 'dynamodb', dataKeyActions);

/** Attributes by which an event is searched for: erasing removes them, but for the two of the time. */
const searchedAttributes = [
  ...new Set(Object.values(auditTableIndexes).flatMap(({ partition, sort }): readonly string[] => [partition, sort])),
];
const waitingAttributes = [auditLogTableIndexes.waiting.partition, auditLogTableIndexes.waiting.sort];

/** Attributes that a need may write, key included. A test holds them against what the adapters write (test/lib/audit-permissions.test.ts). */
export const writableAttributes = {
  /** Of an event. */
  event: [...[auditTableKeys.partition, 'region', 'eventId', 'recordedAt', 'leaf', 'body', 'salt', 'updatedAt'], ...searchedAttributes],
  /** Never the leaf. */
  erasure: [...[auditTableKeys.partition, 'body', 'salt', 'erasedAt', 'updatedAt'], ...searchedAttributes],
  /** Of an event that waits for its place: never a place. */
  waiting: [...[auditLogTableKeys.partition, 'leaf', 'recordedAt', 'updatedAt'], ...waitingAttributes],
  /** Never a leaf. */
  place: [...[auditLogTableKeys.partition, 'generation', 'index', 'updatedAt'], ...waitingAttributes],
} as const;

const only = (keys: readonly string[], attributes?: readonly string[]): Grant['conditions'] => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
  ...(attributes ? { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes } } : {}),
});

/** One transaction puts an event and its line in the queue. What a put could overwrite, the watch finds: the log holds the leaf. */
function record(scope: RegionScope, ids: string): readonly Grant[] {
  const keys = [`${scope.region}/${ids}`];
  return [
    grant({ actions: ['dynamodb:PutItem'], resources: [eventsTable(scope)], conditions: only(keys, writableAttributes.event) }),
    grant({ actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'], resources: [eventsTable(scope)], conditions: only(keys) }),
    grant({
      actions: ['dynamodb:PutItem'],
      resources: [logTable(scope)],
      conditions: only([`event#${ids}`], writableAttributes.waiting),
    }),
  ];
}

/** Every function records its own acts, and finds them again by their ids: of whatever others told it sees nothing. */
export function ownActs(scope: RegionScope): readonly Grant[] {
  return [
    ...record(scope, ownEventIds),
    grant({ actions: ['dynamodb:Query'], resources: [`${eventsTable(scope)}/index/${auditTableIndexes.byAct.name}`] }),
    // An act of a Region that is lost is read in its replica here.
    grant({
      actions: ['dynamodb:BatchGetItem'],
      resources: [eventsTable(scope)],
      conditions: only([`*/${ownEventIds}`]),
    }),
    tableKeys(scope),
  ];
}

const readEvents = (scope: RegionScope): readonly Grant[] => [
  grant({
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
    resources: [eventsTable(scope), ...Object.values(auditTableIndexes).map(({ name }) => `${eventsTable(scope)}/index/${name}`)],
  }),
  tableKeys(scope),
];

const eraseEvents = (scope: RegionScope): readonly Grant[] => [
  grant({ actions: ['dynamodb:GetItem'], resources: [eventsTable(scope)] }),
  grant({
    actions: ['dynamodb:UpdateItem'],
    resources: [eventsTable(scope)],
    conditions: {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': writableAttributes.erasure },
      StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE', 'UPDATED_OLD', 'UPDATED_NEW'] }, // else it answers with what it may not touch
    },
  }),
  tableKeys(scope),
];

/** Items of the log's table whose keys begin so. */
const logItems = (
  scope: RegionScope,
  actions: readonly string[],
  keys: readonly string[],
  attributes?: readonly string[],
): readonly Grant[] => [grant({ actions, resources: [logTable(scope)], conditions: only(keys, attributes) }), tableKeys(scope)];
const headAndBatches = ['head', 'batch#*'];

const readQueue = (scope: RegionScope): readonly Grant[] => [
  grant({ actions: ['dynamodb:Query'], resources: [`${logTable(scope)}/index/${auditLogTableIndexes.waiting.name}`] }),
  ...logItems(scope, ['dynamodb:GetItem', 'dynamodb:BatchGetItem'], ['event#*']),
];

const bucketIn = ({ operations }: RegionScope, region: string): string =>
  `arn:${partitionOf(region)}:s3:::${auditBucketName(operations, region)}`;
const namedByPlace = 'objects of the log are named after their place in it, which is known when it is reached';

/** Of every Region: a log is watched from others too, and a proof wanted anywhere. Listing tells "absent" from "forbidden". */
const readObjects = (scope: RegionScope): readonly Grant[] => {
  const regions = regionsOf(scope.operations);
  return [
    grant({ actions: ['s3:GetObject'], resources: regions.map((region) => `${bucketIn(scope, region)}/*`), because: namedByPlace }),
    grant({ actions: ['s3:ListBucket'], resources: regions.map((region) => bucketIn(scope, region)) }),
    keysThroughService(scope, regions, backupKeyAlias(scope.operations), 's3', ['kms:Decrypt']),
  ];
};

/**
 * Every object is put with its lock, which S3 takes for a retention of its own (`s3:PutObjectRetention`). That right cannot shorten a lock: in compliance mode nobody can, in
 * governance mode it takes `s3:BypassGovernanceRetention`, which nobody has. Which locks it must put is said by the bucket's policy (lib/audit/bucket-denials.ts).
 */
const appendObjects = (scope: RegionScope): readonly Grant[] => {
  const bucket = bucketIn(scope, scope.region);
  const { mode } = scope.operations.audit.retention;
  return [
    grant({ actions: ['s3:GetObject', 's3:PutObject'], resources: [`${bucket}/*`], because: namedByPlace }),
    grant({
      actions: ['s3:PutObjectRetention'],
      resources: [`${bucket}/*`],
      conditions: { StringEquals: { 's3:object-lock-mode': mode.toUpperCase() } },
      because: namedByPlace,
    }),
    grant({ actions: ['s3:PutObjectTagging'], resources: [`${bucket}/${partialPaths}`], because: namedByPlace }),
    grant({ actions: ['s3:ListBucket'], resources: [bucket] }),
    keysThroughService(scope, [scope.region], backupKeyAlias(scope.operations), 's3', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
};

/** Versions of partial tiles and of nothing else; a lock that is not over is S3's to hold. */
const sweepObjects = (scope: RegionScope): readonly Grant[] => {
  const bucket = bucketIn(scope, scope.region);
  return [
    grant({
      actions: ['s3:ListBucketVersions'],
      resources: [bucket],
      conditions: { StringLike: { 's3:prefix': partialPaths } },
    }),
    grant({
      actions: ['s3:DeleteObjectVersion', 's3:GetObjectVersion', 's3:GetObjectRetention'],
      resources: [`${bucket}/${partialPaths}`],
      because: namedByPlace,
    }),
  ];
};

const watchMemory = (scope: RegionScope): readonly Grant[] => [
  grant({
    actions: ['dynamodb:PutItem'],
    resources: [tableIn(scope, stateTableName(scope.operations))],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': watchMemoryKeys } },
  }),
];

/** Keys of the log by their aliases: this Region's for signing, those of all Regions for their public halves. */
function logKeys(scope: RegionScope, access: 'sign' | 'public-key'): Grant {
  const { operations, region } = scope;
  const { generation } = operations.audit;
  const keysOf = (of: string) => `arn:${partitionOf(of)}:kms:${of}:${operations.account}:key/*`;
  const because = 'a condition narrows it to the keys of the log by their aliases; the ids only exist once a Region is deployed';
  if (access === 'public-key') {
    return grant({
      actions: ['kms:GetPublicKey'],
      resources: regionsOf(operations).map(keysOf),
      conditions: { 'ForAnyValue:StringLike': { 'kms:ResourceAliases': [auditKeyAlias(operations, '*')] } },
      because,
    });
  }
  // The generation before has its last batch finished before its successor begins.
  const generations = [generation - 1, generation].filter((each) => each > 0);
  return grant({
    actions: ['kms:Sign'],
    resources: [keysOf(region)],
    conditions: {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': generations.map((each) => auditKeyAlias(operations, each)) },
      StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' },
    },
    because,
  });
}

/** The IAM of the audit log. Who may append may not delete, who may delete may not append, and nobody may lift a lock. */
export function auditPermissions(need: AuditNeed, scope: RegionScope): readonly Grant[] {
  switch (need) {
    case 'audit-events:record':
      return [...record(scope, '*'), tableKeys(scope)];
    case 'audit-events:read':
      return readEvents(scope);
    case 'audit-events:erase':
      return eraseEvents(scope);
    case 'audit-head:read':
      return logItems(scope, ['dynamodb:GetItem'], headAndBatches);
    case 'audit-head:write':
      return logItems(scope, ['dynamodb:PutItem'], headAndBatches);
    case 'audit-queue:read':
      return readQueue(scope);
    case 'audit-queue:settle':
      return logItems(scope, ['dynamodb:UpdateItem'], ['event#*'], writableAttributes.place);
    case 'audit-objects:read':
      return readObjects(scope);
    case 'audit-objects:append':
      return appendObjects(scope);
    case 'audit-objects:sweep':
      return sweepObjects(scope);
    case 'checkpoint-signer:sign':
      return [logKeys(scope, 'sign')];
    case 'checkpoint-signer:public-key':
      return [logKeys(scope, 'public-key')];
    case 'audit-watch-memory:read':
      return []; // lines of the state table, which record keeping opens for reading
    case 'audit-watch-memory:write':
      return watchMemory(scope);
    case 'witnesses:cosign':
      return []; // other people's addresses
  }
}
