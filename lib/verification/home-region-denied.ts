import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { RegionScope } from '../shared/region-scope.ts';

/**
 * Row V5: what verifies a copy outside of the primary Region is denied every call into the primary, keys and endpoints alike. A copy that
 * restores there, then, needs nothing of the Region whose loss it is kept for.
 */
export class HomeRegionDenied extends Construct {
  readonly policy: iam.ManagedPolicy;

  constructor(parent: Construct, { operations }: RegionScope) {
    super(parent, 'HomeRegionDenied');
    const { primary } = operations.regions;
    this.policy = new iam.ManagedPolicy(this, 'Policy', {
      description: `Codeblue: no call into ${primary}`,
      statements: [
        new iam.PolicyStatement({
          effect: iam.Effect.DENY,
          actions: ['*'],
          resources: ['*'],
          conditions: { StringEquals: { 'aws:RequestedRegion': primary } },
        }),
      ],
    });
  }
}
