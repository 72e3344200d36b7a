import { backupKeyAlias, bucketName, partitionOf } from '../../functions/common/names.ts';
import { type Grant, grant } from './grant.ts';
import { keysThroughService } from './key-grants.ts';
import type { RegionScope } from './region-scope.ts';

/** Objects below a prefix of the bucket of each given Region; listing tells "absent" from "forbidden". */
export function objects(scope: RegionScope, regions: readonly string[], prefix: string, access: 'read' | 'write'): readonly Grant[] {
  const { operations } = scope;
  const bucketArn = (region: string) => `arn:${partitionOf(region)}:s3:::${bucketName(operations, region)}`;
  return [
    grant({
      actions: access === 'read' ? ['s3:GetObject'] : ['s3:GetObject', 's3:PutObject'],
      resources: regions.map((region) => `${bucketArn(region)}/${prefix}/*`),
      because: `objects below ${prefix}/ are named after recovery points, verifications and failovers of the future`,
    }),
    grant({
      actions: ['s3:ListBucket'],
      resources: regions.map(bucketArn),
      conditions: { StringLikeIfExists: { 's3:prefix': `${prefix}/*` } }, // reading an absent object asks without a prefix
    }),
    keysThroughService(
      scope,
      regions,
      backupKeyAlias(operations),
      's3',
      access === 'read' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'],
    ),
  ];
}
