import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { auditKeyAlias } from '../../functions/common/names.ts';
import type { RegionScope } from '../shared/region-scope.ts';

/**
 * Ed25519 keys of this Region's log, one for each generation so far. A key's own policy lets nobody sign but the sequencer, administrators included. The last generation but one may
 * still have its last batch to finish; those before it sign nothing any more, and are kept for verifying.
 */
export class LogKeys extends Construct {
  /** @param sequencers ARNs of the roles that sign */
  constructor(parent: Construct, { operations }: RegionScope, sequencers: readonly string[]) {
    super(parent, 'LogKeys');
    const { generation: current } = operations.audit;
    for (let generation = 1; generation <= current; generation++) {
      const key = new kms.Key(this, `Generation${generation}`, {
        keySpec: kms.KeySpec.ECC_NIST_EDWARDS25519,
        keyUsage: kms.KeyUsage.SIGN_VERIFY,
        alias: auditKeyAlias(operations, generation),
        description: `Codeblue: signs checkpoints of the audit log, generation ${generation} (Ed25519)`,
        pendingWindow: Duration.days(30), // the longest that AWS allows
        removalPolicy: RemovalPolicy.RETAIN,
      });
      key.addToResourcePolicy(signedBy(generation >= current - 1 ? sequencers : []));
    }
  }
}

const signedBy = (roles: readonly string[]): iam.PolicyStatement =>
  new iam.PolicyStatement({
    sid: roles.length > 0 ? 'OnlyTheSequencerSigns' : 'NobodySigns',
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: ['kms:Sign'],
    resources: ['*'], // in a key policy `*` is this key
    ...(roles.length > 0 ? { conditions: { ArnNotEquals: { 'aws:PrincipalArn': roles } } } : {}),
  });
