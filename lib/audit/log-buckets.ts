import { Duration } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Region } from '../../functions/common/ids.ts';
import { auditBucketName, auditCopyBucketName, backupKeyAlias, partitionOf } from '../../functions/common/names.ts';
import { accessLogBucket } from '../shared/closed-bucket.ts';
import { exactRole, grant } from '../shared/grant.ts';
import { keysThroughService } from '../shared/key-grants.ts';
import { logCopyRegion, type RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { denyTampering, type LogWriters } from './bucket-denials.ts';
import { lockedBucket, logCopyBucket } from './log-copy.ts';

/**
 * The log's objects of one Region, under Object Lock for `audit.retention`, and beside them the copy of the Region before it in the ring primary -> standby -> tertiary -> primary: a
 * Region that is lost for ever leaves its log. Lifting a lock is denied whatever the mode, and in compliance mode nobody can, AWS included. The copy that lies in the primary is in a
 * stack of its own (lib/stacks/log-copy-stack.ts).
 */
export class LogBuckets extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, writers: LogWriters) {
    super(parent, 'LogBuckets');
    const { operations, region } = scope;
    const accessLogs = accessLogBucket(this);
    const log = new s3.Bucket(this, 'Log', {
      ...lockedBucket(scope, keys.backup, accessLogs),
      bucketName: auditBucketName(operations, region),
      serverAccessLogsPrefix: 'log/',
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      ...copiedTo(this, logCopyRegion(scope), scope),
    });
    denyTampering(log, scope, writers);
    if (scope.role !== 'primary') logCopyBucket(this, scope, keys.backup, accessLogs);
  }
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
