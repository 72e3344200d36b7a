import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { RegionScope } from '../shared/region-scope.ts';

/** Control planes that are hosted in one Region for all: a failover may need none of them. */
const distantControlPlanes = [
  'route53:*',
  'iam:*',
  'route53-recovery-control-config:*',
  'cloudfront:*',
  'globalaccelerator:*',
  'organizations:*',
];

/**
 * Row F6 at run time: no step of a failover calls into another Region, nor a control plane that is hosted in one. What a failover does must work
 * while any other Region is gone. The one exception is the data plane of routing controls: five endpoints in five Regions, any of which serves (ARC
 * Developer Guide, "Best practices"), so one that is gone stops nothing.
 */
export class OtherRegionsDenied extends Construct {
  readonly policy: iam.ManagedPolicy;

  constructor(parent: Construct, { region }: RegionScope) {
    super(parent, 'OtherRegionsDenied');
    this.policy = new iam.ManagedPolicy(this, 'Policy', {
      description: `Codeblue: no call out of ${region}`,
      statements: [
        new iam.PolicyStatement({
          effect: iam.Effect.DENY,
          notActions: ['route53-recovery-cluster:*'],
          resources: ['*'],
          conditions: { StringNotEquals: { 'aws:RequestedRegion': region } },
        }),
        new iam.PolicyStatement({ effect: iam.Effect.DENY, actions: distantControlPlanes, resources: ['*'] }),
      ],
    });
  }
}
