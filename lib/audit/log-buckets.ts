import { Duration, Validations } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Region } from '../../functions/common/ids.ts';
import { auditBucketName, auditCopyBucketName, backupKeyAlias, partitionOf, tagKeys } from '../../functions/common/names.ts';
import { accessLogBucket, closed, replicationRule } from '../shared/closed-bucket.ts';
import { exactRole, grant } from '../shared/grant.ts';
import { keysThroughService } from '../shared/key-grants.ts';
import { copiedRegion, type RegionScope, replicaRegion } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { denyTampering, type LogWriters } from './bucket-denials.ts';

/** The sweeper does not reach copies, so there a partial tile goes by its age: longer than its lock, and than any deployment is without an event. */
const partialsOfACopy = Duration.days(7);

/**
 * The log's objects of one Region, under Object Lock for `audit.retention`, and beside them the copy of the Region before it in the chain primary -> standby -> tertiary: a Region
 * that is lost for ever leaves its log. Lifting a lock is denied whatever the mode, and in compliance mode nobody can, AWS included.
 */
export class LogBuckets extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, writers: LogWriters) {
    super(parent, 'LogBuckets');
    const { operations, region } = scope;
    const to = replicaRegion(scope);
    const from = copiedRegion(scope);
    const locked = {
      ...closed,
      bucketKeyEnabled: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: keys.backup,
      objectLockEnabled: true,
      objectLockDefaultRetention: defaultRetention(scope),
      serverAccessLogsBucket: accessLogBucket(this),
    };
    const log = new s3.Bucket(this, 'Log', {
      ...locked,
      bucketName: auditBucketName(operations, region),
      serverAccessLogsPrefix: 'log/',
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      ...(to ? copiedTo(this, to, scope) : {}),
    });
    denyTampering(log, scope, writers);
    if (!to) {
      const reason = 'the end of the chain: the events of its log are in a global table, and its checkpoints are seen from every Region';
      Validations.of(log).acknowledge({ id: replicationRule, reason });
    }
    if (!from) return;
    const copy = new s3.Bucket(this, 'Copy', {
      ...locked,
      bucketName: auditCopyBucketName(operations, from),
      serverAccessLogsPrefix: 'copy/',
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }, ...partialsGo(scope)],
    });
    denyTampering(copy, scope, { sequencers: [], sweepers: [] }); // replication writes by a right of its own, s3:ReplicateObject
    Validations.of(copy).acknowledge({ id: replicationRule, reason: `is the copy of the log of ${from}` });
  }
}

function defaultRetention({ operations }: RegionScope): s3.ObjectLockRetention {
  const { mode, days } = operations.audit.retention;
  return mode === 'compliance'
    ? s3.ObjectLockRetention.compliance(Duration.days(days))
    : s3.ObjectLockRetention.governance(Duration.days(days));
}

/**
 * Of entries and of the lowest tiles, which every event replaces: seven days after the last event of a log they could be missed, and Codeblue's own acts are not that rare. Partial tiles of
 * higher levels may stand for months, and are one in 256: they stay.
 */
function partialsGo({ operations }: RegionScope): readonly s3.LifecycleRule[] {
  const { generation } = operations.audit;
  const generations = [generation - 1, generation].filter((each) => each > 0);
  return generations.flatMap((each) =>
    ['0', 'entries'].map((kind) => ({
      id: `partial-${each}-${kind}`,
      prefix: `${each}/tile/${kind}/`,
      tagFilters: { [tagKeys.keeping]: 'superseded' },
      expiration: partialsOfACopy,
      noncurrentVersionExpiration: Duration.days(1),
    })),
  );
}

/** Everything, but for what is removed: a version that goes here stays there. */
function copiedTo(parent: Construct, to: Region, scope: RegionScope): Pick<s3.BucketProps, 'replicationRole' | 'replicationRules'> {
  const { operations, region } = scope;
  const source = `arn:${partitionOf(region)}:s3:::${auditBucketName(operations, region)}`;
  const target = `arn:${partitionOf(to)}:s3:::${auditCopyBucketName(operations, region)}`;
  const because = 'objects of the log are named after their place in it, which is known when it is reached';
  const replicationRole = exactRole(parent, 'ReplicationRole', {
    service: 's3.amazonaws.com',
    description: `Codeblue: copies the audit log of ${region} to ${to}`,
    grants: [
      grant({ actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'], resources: [source] }),
      grant({
        actions: [
          's3:GetObjectVersionForReplication',
          's3:GetObjectVersionAcl',
          's3:GetObjectVersionTagging',
          's3:GetObjectRetention',
          's3:GetObjectLegalHold',
        ],
        resources: [`${source}/*`],
        because,
      }),
      grant({ actions: ['s3:ReplicateObject', 's3:ReplicateTags'], resources: [`${target}/*`], because }),
      keysThroughService(scope, [region], backupKeyAlias(operations), 's3', ['kms:Decrypt']),
      keysThroughService(scope, [to], backupKeyAlias(operations), 's3', ['kms:Encrypt', 'kms:GenerateDataKey']),
    ],
  });
  const aliasArn = `arn:${partitionOf(to)}:kms:${to}:${operations.account}:${backupKeyAlias(operations)}`;
  return {
    replicationRole,
    replicationRules: [
      {
        id: 'log',
        destination: s3.Bucket.fromBucketName(parent, 'CopyBucket', auditCopyBucketName(operations, region)),
        kmsKey: kms.Key.fromKeyArn(parent, 'CopyKey', aliasArn),
        sseKmsEncryptedObjects: true,
        deleteMarkerReplication: false,
        priority: 1,
      },
    ],
  };
}
