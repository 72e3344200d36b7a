import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { linkKeyAlias } from '../../functions/common/names.ts';
import type { RegionScope } from '../shared/region-scope.ts';

/** Signs the links of this Region's pages (HMAC-SHA-256). Links last an hour or so: losing the key loses those that are under way, and nothing else. */
export const linkKey = (scope: Construct, { operations }: RegionScope): kms.Key =>
  new kms.Key(scope, 'LinkKey', {
    keySpec: kms.KeySpec.HMAC_256,
    keyUsage: kms.KeyUsage.GENERATE_VERIFY_MAC,
    alias: linkKeyAlias(operations),
    description: 'Codeblue: signs links that acknowledge an incident (HMAC)',
    pendingWindow: Duration.days(7),
    removalPolicy: RemovalPolicy.DESTROY,
  });
