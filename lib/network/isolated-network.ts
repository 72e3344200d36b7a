import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { isolatedSubnetGroupName } from '../../functions/common/names.ts';
import { exactRole, grant } from '../shared/grant.ts';
import { logRetention } from '../shared/log-class.ts';
import type { FunctionNetwork } from '../shared/operations-function.ts';
import { withoutRedundantDependency } from '../shared/redundant-dependency.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/**
 * Where restored databases live: a network of its own with no gateway, no peering and no route but to the endpoints of
 * AWS services, and those let through only calls of this account on this account. A restored copy holds patients' data
 * and runs without production's guards around it, so nothing but its judge can reach it.
 */
export class IsolatedNetwork extends Construct {
  readonly vpc: ec2.Vpc;
  /** Worn by restored databases: answers verifiers on the database ports and calls nobody. */
  readonly restoredGroup: ec2.SecurityGroup;
  /** What functions that judge restored databases join. */
  readonly verifiers: FunctionNetwork;

  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys) {
    super(parent, 'IsolatedNetwork');
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr('10.213.0.0/16'), // never routed anywhere: it cannot clash with anybody's network
      maxAzs: 2, // an RDS subnet group wants two
      natGateways: 0,
      subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 }],
      restrictDefaultSecurityGroup: true,
    });
    this.recordFlows(scope, keys);

    const group = (id: string, description: string) =>
      new ec2.SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false, disableInlineRules: true });
    const verifierGroup = group('Verifiers', 'Codeblue: functions that judge restored databases');
    this.restoredGroup = group('Restored', 'Codeblue: restored databases, reached by verifiers only');
    const endpointGroup = group('Endpoints', 'Codeblue: endpoints of AWS services, reached by verifiers only');

    for (const port of new Set(scope.operations.databases.map((database) => database.port))) {
      this.restoredGroup.addIngressRule(verifierGroup, ec2.Port.tcp(port), 'verifiers read restored databases');
      verifierGroup.addEgressRule(this.restoredGroup, ec2.Port.tcp(port), 'restored databases');
    }
    endpointGroup.addIngressRule(verifierGroup, ec2.Port.tcp(443), 'verifiers call AWS services');
    // S3 and DynamoDB are reached through routes, not interfaces, and their address lists have no name that is known at
    // synth. Any address, then: the route table knows no other destination than those two.
    verifierGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'AWS services; the routes lead nowhere else');

    this.addEndpoints(scope, endpointGroup);
    new rds.SubnetGroup(this, 'SubnetGroup', {
      subnetGroupName: isolatedSubnetGroupName(scope.operations),
      description: 'Codeblue: restored databases, without a route to production or to the internet',
      vpc: this.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    });
    this.verifiers = { vpc: this.vpc, subnets: this.vpc.isolatedSubnets, securityGroups: [verifierGroup] };
    // CDK empties the VPC's default security group with a function of its own, once, at deployment.
    const provider = Stack.of(this).node.tryFindChild('Custom::VpcRestrictDefaultSGCustomResourceProvider');
    withoutRedundantDependency(provider?.node.tryFindChild('Handler'));
  }

  /** Only what verifiers use: S3 manifests, DynamoDB state, and the endpoint and password of a restored database. */
  private addEndpoints({ operations }: RegionScope, endpointGroup: ec2.SecurityGroup): void {
    const ourAccountOnly = () =>
      new iam.PolicyStatement({
        principals: [new iam.AnyPrincipal()],
        actions: ['*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:PrincipalAccount': operations.account, 'aws:ResourceAccount': operations.account } },
      });
    this.vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 }).addToPolicy(ourAccountOnly());
    this.vpc.addGatewayEndpoint('DynamoDb', { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB }).addToPolicy(ourAccountOnly());
    const services = { Rds: ec2.InterfaceVpcEndpointAwsService.RDS, SecretsManager: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER };
    for (const [id, service] of Object.entries(services)) {
      this.vpc.addInterfaceEndpoint(id, { service, securityGroups: [endpointGroup], open: false }).addToPolicy(ourAccountOnly());
    }
  }

  private recordFlows(scope: RegionScope, keys: RegionalKeys): void {
    const logGroup = new logs.LogGroup(this, 'FlowLogs', {
      retention: logRetention(scope.operations, 'audit'),
      encryptionKey: keys.state,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const role = exactRole(this, 'FlowLogsRole', {
      service: 'vpc-flow-logs.amazonaws.com',
      onlyFor: scope.operations.account,
      description: 'Codeblue: writes the flow logs of the isolated network',
      grants: [
        grant({ actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
      ],
    });
    this.vpc.addFlowLog('Flows', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup, role),
      trafficType: ec2.FlowLogTrafficType.ALL,
    });
  }
}
