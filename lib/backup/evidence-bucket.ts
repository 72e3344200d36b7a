import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { bucketName } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/** How long the log of who read the bucket is kept: six years, the retention of HIPAA's documentation (45 CFR 164.316(b)(2)(i)). */
const accessLogRetention = Duration.days(6 * 365 + 2);

/**
 * Manifests and proofs of one Region: versioned, under the Region's own key, over TLS only, and locked. Until the vault
 * lock is taken in earnest the lock is in governance mode, which a person with a right of its own can lift; in compliance
 * mode nobody can.
 */
export class EvidenceBucket extends Construct {
  readonly bucket: s3.Bucket;

  constructor(parent: Construct, { operations, region }: RegionScope, keys: RegionalKeys) {
    super(parent, 'Evidence');
    const closed = {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
      versioned: true,
    };
    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...closed,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: accessLogRetention, noncurrentVersionExpiration: Duration.days(30) }],
    });
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
    });
    acknowledgeBucketRules(accessLogs, this.bucket);
  }
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

function acknowledgeBucketRules(accessLogs: s3.Bucket, evidence: s3.Bucket): void {
  Validations.of(accessLogs).acknowledge(
    { id: 'AwsSolutions-S1', reason: 'it is the access log; logging its own writes would never end' },
    { id: 'HIPAA.Security-S3BucketLoggingEnabled', reason: 'it is the access log; logging its own writes would never end' },
    { id: 'HIPAA.Security-S3BucketReplicationEnabled', reason: 'tells who read the bucket of this Region and is of no use without it' },
    {
      id: 'HIPAA.Security-S3DefaultEncryptionKMS',
      reason: 'S3 delivers access logs to buckets under its own keys only; they hold object names, no content',
    },
  );
  Validations.of(evidence).acknowledge({
    id: 'HIPAA.Security-S3BucketReplicationEnabled',
    reason:
      'a manifest is written by the backup itself to every Region that holds a copy, and a proof is audited with its digest in a table that is replicated',
  });
}
