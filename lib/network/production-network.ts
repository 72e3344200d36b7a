import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';
import { siteIn } from '../shared/database-permissions.ts';
import type { FunctionNetwork } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';

/**
 * The network of the live databases in this Region, as the config gives it; undefined when none lives here. Nothing is
 * looked up, so synth needs no credentials.
 *
 * @throws InvalidInput when the databases of one Region lie in different VPCs: a function can join one only
 */
export function productionNetwork(scope: Construct, { operations, region }: RegionScope): FunctionNetwork | undefined {
  const networks = operations.databases.flatMap((database) => siteIn(database.sites, region)?.network ?? []);
  const vpcIds = [...new Set(networks.map((network) => network.vpcId))];
  const [vpcId] = vpcIds;
  if (vpcId === undefined) return undefined;
  if (vpcIds.length > 1) {
    throw new InvalidInput(`the databases in ${region} lie in ${vpcIds.length} VPCs (${vpcIds.join(', ')}), one is allowed`, {
      hint: 'Deploy Codeblue once per VPC, each with a config of its own, or name subnets of one VPC that reaches all of them.',
    });
  }
  const vpc = ec2.Vpc.fromVpcAttributes(scope, 'ProductionVpc', {
    vpcId,
    availabilityZones: [...new Set(networks.flatMap((network) => network.availabilityZones))],
  });
  const subnetIds = new Set(networks.flatMap((network) => network.subnetIds));
  const securityGroupIds = new Set(networks.map((network) => network.securityGroupId));
  return {
    vpc,
    subnets: [...subnetIds].map((id) => namedSubnet(scope, id)),
    // Worn, not changed: the rules of production's groups are production's.
    securityGroups: [...securityGroupIds].map((id) =>
      ec2.SecurityGroup.fromSecurityGroupId(scope, `Production-${id}`, id, { mutable: false }),
    ),
  };
}

function namedSubnet(scope: Construct, id: string): ec2.ISubnet {
  const subnet = ec2.Subnet.fromSubnetId(scope, `Production-${id}`, id);
  Validations.of(subnet).acknowledge({
    id: '@aws-cdk/aws-ec2:noSubnetRouteTableId',
    reason: 'functions join the subnet; its routes are production’s and are neither read nor changed',
  });
  return subnet;
}
