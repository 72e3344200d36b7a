import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** How long the log of who read a bucket is kept: six years, the retention of HIPAA's documentation (45 CFR 164.316(b)(2)(i)). */
const accessLogRetention = Duration.days(6 * 365 + 2);

/** What every bucket of Codeblue has: versions, TLS only, no access but by this account's own policies, and it outlives its stack. */
export const closed = {
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
  versioned: true,
} as const;

export const replicationRule = 'HIPAA.Security-S3BucketReplicationEnabled';

/** Takes the logs of who read the buckets beside it. */
export function accessLogBucket(scope: Construct): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'AccessLogs', {
    ...closed,
    encryption: s3.BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: accessLogRetention, noncurrentVersionExpiration: Duration.days(30) }],
  });
  Validations.of(bucket).acknowledge(
    { id: replicationRule, reason: 'tells who read the bucket of this Region and is of no use without it' },
    {
      id: 'HIPAA.Security-S3DefaultEncryptionKMS',
      reason: 'S3 delivers access logs to buckets under its own keys only; they hold object names, no content',
    },
  );
  return bucket;
}
