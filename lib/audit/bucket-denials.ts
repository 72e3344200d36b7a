import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { partitionOf } from '../../functions/common/names.ts';
import { partialPaths } from '../shared/audit-permissions.ts';
import type { RegionScope } from '../shared/region-scope.ts';

/** ARNs of the roles that may, against everybody else in the account. */
export interface LogWriters {
  /** Append objects. */
  readonly sequencers: readonly string[];
  /** Remove partial tiles whose lock is over. */
  readonly sweepers: readonly string[];
}

/**
 * What nobody may do with the log's objects, whatever their own policies say: administrators included. Object Lock alone holds what is locked; these hold the rest: new objects come
 * from the sequencer only and with their whole lock, only partial tiles go, by the sweeper only, and the bucket's own settings change by a deployment only.
 */
export function denyTampering(bucket: s3.Bucket, scope: RegionScope, { sequencers, sweepers }: LogWriters): void {
  const { operations, region } = scope;
  const { mode, days } = operations.audit.retention;
  const objects = bucket.arnForObjects('*');
  const partial = bucket.arnForObjects(partialPaths);
  const deployer = `arn:${partitionOf(region)}:iam::${operations.account}:role/cdk-*-cfn-exec-role-${operations.account}-${region}`;
  const deny = (
    sid: string,
    actions: readonly string[],
    rest: Pick<iam.PolicyStatementProps, 'resources' | 'notResources' | 'conditions'>,
  ) =>
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({ sid, effect: iam.Effect.DENY, principals: [new iam.AnyPrincipal()], actions: [...actions], ...rest }),
    );

  deny('NobodyHidesOrLifts', ['s3:DeleteObject', 's3:BypassGovernanceRetention'], { resources: [objects] });
  deny('OnlyPartialTilesGo', ['s3:DeleteObjectVersion'], { notResources: [partial] });
  deny('OnlyTheSweeperRemoves', ['s3:DeleteObjectVersion'], { resources: [objects], ...butFor(sweepers) });
  deny('OnlyTheSequencerAppends', ['s3:PutObject', 's3:PutObjectRetention', 's3:PutObjectTagging', 's3:PutObjectVersionTagging'], {
    resources: [objects],
    ...butFor(sequencers),
  });
  // An object that says nothing of its lock has the bucket's; S3 counts whole days that are left.
  deny('EveryLockIsWhole', ['s3:PutObject', 's3:PutObjectRetention'], {
    notResources: [partial],
    conditions: { NumericLessThan: { 's3:object-lock-remaining-retention-days': String(days - 1) } },
  });
  deny('EveryLockIsInItsMode', ['s3:PutObject', 's3:PutObjectRetention'], {
    resources: [objects],
    conditions: { StringNotEquals: { 's3:object-lock-mode': mode.toUpperCase() }, Null: { 's3:object-lock-mode': 'false' } },
  });
  deny(
    'OnlyDeploymentsChangeTheBucket',
    [
      's3:PutBucketObjectLockConfiguration',
      's3:PutBucketVersioning',
      's3:PutLifecycleConfiguration',
      's3:PutReplicationConfiguration',
      's3:DeleteBucket',
    ],
    { resources: [bucket.bucketArn], conditions: { ArnNotLike: { 'aws:PrincipalArn': deployer } } },
  );
}

/** For everybody where no role is named. */
const butFor = (roles: readonly string[]): Pick<iam.PolicyStatementProps, 'conditions'> =>
  roles.length > 0 ? { conditions: { ArnNotEquals: { 'aws:PrincipalArn': roles } } } : {};
