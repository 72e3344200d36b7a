import { Duration, Validations } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Region } from '../../functions/common/ids.ts';
import { backupKeyAlias, bucketName, partitionOf } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { accessLogBucket, closed, replicationRule } from '../shared/closed-bucket.ts';
import { exactRole, grant } from '../shared/grant.ts';
import { keysThroughService } from '../shared/key-grants.ts';
import { type RegionScope, replicaRegion } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/**
 * Manifests, proofs and reports of one Region: versioned, under the Region's own key, over TLS only, and locked. Until the vault
 * lock is taken in earnest the lock is in governance mode, which a person with a right of its own can lift; in compliance
 * mode nobody can.
 */
export class EvidenceBucket extends Construct {
  readonly bucket: s3.Bucket;

  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys) {
    super(parent, 'Evidence');
    const { operations, region } = scope;
    const replica = replicaRegion(scope);
    const accessLogs = accessLogBucket(this);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...closed,
      bucketName: bucketName(operations, region),
      bucketKeyEnabled: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: keys.backup,
      objectLockEnabled: true,
      ...defaultRetention(operations),
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'evidence/',
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      ...(replica ? proofReplication(this, replica, scope) : {}),
    });
    if (replica) return;
    Validations.of(this.bucket).acknowledge({
      id: replicationRule,
      reason: 'the end of the chain: it holds the proofs that the other Regions replicate',
    });
  }
}

/** What survives the Region that wrote it. */
const survivingPrefixes = ['proofs', 'reports'] as const;

/**
 * Proofs survive the Region that signed them, reports of failovers the Region that led. Manifests need no replication: a backup writes them to every Region that
 * holds a copy.
 */
function proofReplication(bucket: Construct, to: Region, scope: RegionScope): Pick<s3.BucketProps, 'replicationRole' | 'replicationRules'> {
  const { operations, region } = scope;
  const arnOf = (each: Region) => `arn:${partitionOf(each)}:s3:::${bucketName(operations, each)}`;
  const because = 'proofs and reports are named after verifications and failovers of the future';
  const role = exactRole(bucket, 'ReplicationRole', {
    service: 's3.amazonaws.com',
    description: `Codeblue: copies proofs of restore and reports to ${to}`,
    grants: [
      grant({ actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'], resources: [arnOf(region)] }),
      grant({
        actions: [
          's3:GetObjectVersionForReplication',
          's3:GetObjectVersionAcl',
          's3:GetObjectVersionTagging',
          's3:GetObjectRetention',
          's3:GetObjectLegalHold',
        ],
        resources: survivingPrefixes.map((prefix) => `${arnOf(region)}/${prefix}/*`),
        because,
      }),
      grant({
        actions: ['s3:ReplicateObject', 's3:ReplicateTags'],
        resources: survivingPrefixes.map((prefix) => `${arnOf(to)}/${prefix}/*`),
        because,
      }),
      keysThroughService(scope, [region], backupKeyAlias(operations), 's3', ['kms:Decrypt']),
      keysThroughService(scope, [to], backupKeyAlias(operations), 's3', ['kms:Encrypt', 'kms:GenerateDataKey']),
    ],
  });
  const aliasArn = `arn:${partitionOf(to)}:kms:${to}:${operations.account}:${backupKeyAlias(operations)}`;
  const destination = s3.Bucket.fromBucketName(bucket, 'ReplicaBucket', bucketName(operations, to));
  const kmsKey = kms.Key.fromKeyArn(bucket, 'ReplicaKey', aliasArn);
  return {
    replicationRole: role,
    replicationRules: survivingPrefixes.map((prefix, index) => ({
      id: prefix,
      destination,
      kmsKey,
      sseKmsEncryptedObjects: true,
      deleteMarkerReplication: false,
      filter: { prefix: `${prefix}/` },
      priority: index + 1,
    })),
  };
}

function defaultRetention({ vaultLock }: Operations): Pick<s3.BucketProps, 'objectLockDefaultRetention'> {
  const period = Duration.seconds(vaultLock.minRetention);
  if (vaultLock.mode === 'off' || period.toSeconds() === 0) return {};
  const days = Duration.days(Math.ceil(period.toDays({ integral: false })));
  return {
    objectLockDefaultRetention:
      vaultLock.mode === 'compliance' ? s3.ObjectLockRetention.compliance(days) : s3.ObjectLockRetention.governance(days),
  };
}
