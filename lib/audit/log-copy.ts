import { Duration, Validations } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { auditCopyBucketName, tagKeys } from '../../functions/common/names.ts';
import { closed, replicationRule } from '../shared/closed-bucket.ts';
import { copiedLogRegion, type RegionScope } from '../shared/region-scope.ts';
import { denyTampering } from './bucket-denials.ts';

/** The sweeper does not reach copies, so there a partial tile goes by its age: longer than its lock, and than any deployment is without an event. */
const partialsOfACopy = Duration.days(7);

/** What every bucket of a log has: Object Lock for `audit.retention`, and a key of its Region. */
export const lockedBucket = (scope: RegionScope, encryptionKey: kms.IKey, serverAccessLogsBucket: s3.IBucket) =>
  ({
    ...closed,
    bucketKeyEnabled: true,
    encryption: s3.BucketEncryption.KMS,
    encryptionKey,
    objectLockEnabled: true,
    objectLockDefaultRetention: defaultRetention(scope),
    serverAccessLogsBucket,
  }) satisfies s3.BucketProps;

function defaultRetention({ operations }: RegionScope): s3.ObjectLockRetention {
  const { mode, days } = operations.audit.retention;
  return mode === 'compliance'
    ? s3.ObjectLockRetention.compliance(Duration.days(days))
    : s3.ObjectLockRetention.governance(Duration.days(days));
}

/** The copy, in this Region, of the log of the Region before it in the ring. */
export function logCopyBucket(parent: Construct, scope: RegionScope, key: kms.IKey, accessLogs: s3.IBucket): void {
  const from = copiedLogRegion(scope);
  const copy = new s3.Bucket(parent, 'Copy', {
    ...lockedBucket(scope, key, accessLogs),
    bucketName: auditCopyBucketName(scope.operations, from),
    serverAccessLogsPrefix: 'copy/',
    lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }, ...partialsGo(scope)],
  });
  denyTampering(copy, scope, { sequencers: [], sweepers: [] }); // replication writes by a right of its own, s3:ReplicateObject
  Validations.of(copy).acknowledge({ id: replicationRule, reason: `is the copy of the log of ${from}` });
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
