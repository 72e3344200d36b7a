import { Stack, Tags } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { backupKeyAlias, partitionOf, tagKeys } from '../../functions/common/names.ts';
import { logCopyBucket } from '../audit/log-copy.ts';
import { accessLogBucket } from '../shared/closed-bucket.ts';
import { copiedLogRegion, type RegionScope, stackId } from '../shared/region-scope.ts';

/**
 * The copy of the tertiary Region's audit log, in the primary. Logs are copied in a ring, and S3 takes no replication to a bucket that is not there yet, so one bucket of the ring must come
 * before every Region's own stack: this one, and nothing else is in here.
 *
 * Its key is the primary's, named by alias because that Region comes last. S3 asks for no key until there is an object, and there is none before the primary's stack has made the table
 * of events.
 */
export class LogCopyStack extends Stack {
  constructor(parent: Construct, scope: RegionScope) {
    const { operations, region } = scope;
    super(parent, `${stackId(scope)}-log-copy`, {
      env: { account: operations.account, region },
      description: `Codeblue for ${operations.name}: the copy of the audit log of ${copiedLogRegion(scope)} in ${region}`,
      terminationProtection: true,
    });
    Tags.of(this).add(tagKeys.owner, operations.name);
    const copy = new Construct(this, 'LogCopy');
    const aliasArn = `arn:${partitionOf(region)}:kms:${region}:${operations.account}:${backupKeyAlias(operations)}`;
    logCopyBucket(copy, scope, kms.Key.fromKeyArn(copy, 'Key', aliasArn), accessLogBucket(copy));
  }
}
