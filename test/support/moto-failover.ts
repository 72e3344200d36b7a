import { AutoScalingClient, CreateAutoScalingGroupCommand, CreateLaunchConfigurationCommand } from '@aws-sdk/client-auto-scaling';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { CreateClusterCommand, CreateServiceCommand, ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import {
  CreateDBInstanceCommand,
  CreateDBInstanceReadReplicaCommand,
  CreateDBSubnetGroupCommand,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { dynamoIn } from '../../functions/aws/dynamodb.ts';
import { rdsIn } from '../../functions/aws/rds-model.ts';
import type { Region } from '../../functions/common/ids.ts';
import { coordinationTableName, databaseArn } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { motoOperations } from './moto.ts';

const { primary, standby } = motoOperations.regions;
const ec2In = (region: Region) => new EC2Client({ region });

/** The coordination table as lib/ makes it, in one Region: moto has no replicas. */
export async function createCoordinationTable(): Promise<void> {
  await dynamoIn(primary).send(
    new CreateTableCommand({
      TableName: coordinationTableName(motoOperations),
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
}

/** A VPC with two subnets and a security group. */
async function createNetwork(region: Region, name: string) {
  const { Vpc } = await ec2In(region).send(new CreateVpcCommand({ CidrBlock: '10.42.0.0/16' }));
  const subnetIds: string[] = [];
  for (const [index, zone] of ['a', 'b'].entries()) {
    const where = { VpcId: Vpc?.VpcId, CidrBlock: `10.42.${index}.0/24`, AvailabilityZone: `${region}${zone}` };
    subnetIds.push((await ec2In(region).send(new CreateSubnetCommand(where))).Subnet?.SubnetId ?? '');
  }
  return { groupId: await createGroup(region, name, Vpc?.VpcId), subnetIds, vpcId: Vpc?.VpcId };
}

export async function createGroup(region: Region, GroupName: string, VpcId?: string): Promise<string> {
  const created = await ec2In(region).send(new CreateSecurityGroupCommand({ GroupName, Description: GroupName, VpcId }));
  return created.GroupId ?? '';
}

/** The primary of `hms` with its replica in the standby Region. @returns the security group that the primary wears */
export async function createReplicatedDatabase(
  storageKeys: ReadonlyMap<Region, string>,
): Promise<{ readonly groupId: string; readonly vpcId?: string }> {
  const sites = motoOperations.databases[0]?.sites ?? {};
  const networks = new Map<Region, Awaited<ReturnType<typeof createNetwork>>>();
  for (const region of [primary, standby]) {
    const network = await createNetwork(region, 'database');
    networks.set(region, network);
    const group = { DBSubnetGroupName: 'production', DBSubnetGroupDescription: 'production', SubnetIds: network.subnetIds };
    await rdsIn(region).send(new CreateDBSubnetGroupCommand(group));
  }
  const place = (region: Region) => ({
    DBSubnetGroupName: 'production',
    VpcSecurityGroupIds: [networks.get(region)?.groupId ?? ''],
    KmsKeyId: storageKeys.get(region),
  });
  await rdsIn(primary).send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: sites[primary]?.identifier,
      AllocatedStorage: 100,
      DBInstanceClass: 'db.r6g.large',
      Engine: 'postgres',
      EngineVersion: '16.4',
      BackupRetentionPeriod: 7,
      MasterUsername: 'postgres',
      MasterUserPassword: 'not-a-real-one',
      StorageEncrypted: true,
      ...place(primary),
    }),
  );
  const replica = {
    DBInstanceIdentifier: sites[standby]?.identifier,
    SourceDBInstanceIdentifier: databaseArn(motoOperations, primary, 'db', sites[primary]?.identifier ?? ''),
    SourceRegion: primary, // read by the SDK, which signs the call to the source with it
    ...place(standby),
  };
  await rdsIn(standby).send(new CreateDBInstanceReadReplicaCommand(replica));
  const network = networks.get(primary);
  return { groupId: network?.groupId ?? '', ...(network?.vpcId ? { vpcId: network.vpcId } : {}) };
}

export async function letIn(
  region: Region,
  GroupId: string,
  source: { readonly cidr: string; readonly says?: string } | { readonly group: string },
  port: number,
) {
  const from =
    'cidr' in source
      ? { IpRanges: [{ CidrIp: source.cidr, Description: source.says }] }
      : { UserIdGroupPairs: [{ GroupId: source.group }] };
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, ...from }];
  await ec2In(region).send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
}

/** The ECS service `orders-api` of the standby Region, at 2 tasks. */
export async function createService(): Promise<void> {
  const ecs = new ECSClient({ region: standby });
  const [cluster, serviceName] = (motoOperations.failover.capacity[0]?.sites[standby] ?? '').split('/');
  await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  const container = { name: 'api', image: 'api', memory: 128 };
  await ecs.send(new RegisterTaskDefinitionCommand({ family: 'api', containerDefinitions: [container] }));
  await ecs.send(new CreateServiceCommand({ cluster, serviceName, taskDefinition: 'api', desiredCount: 2 }));
}

/** A group of the standby Region that may have 1 to 5 instances and has 2. */
export async function createAutoScalingGroup(name: string): Promise<void> {
  const groups = new AutoScalingClient({ region: standby });
  const { subnetIds } = await createNetwork(standby, 'workers');
  const launch = { LaunchConfigurationName: 'workers', ImageId: 'ami-12345678', InstanceType: 't4g.micro' };
  await groups.send(new CreateLaunchConfigurationCommand(launch));
  const size = { MinSize: 1, MaxSize: 5, DesiredCapacity: 2, VPCZoneIdentifier: subnetIds.join(',') };
  await groups.send(new CreateAutoScalingGroupCommand({ AutoScalingGroupName: name, LaunchConfigurationName: 'workers', ...size }));
}

/** The deployment of moto with a secret that is there, for the primary's database. */
export async function withRealSecret(): Promise<Operations> {
  const [hms, ...rest] = motoOperations.databases;
  const site = hms?.sites[primary];
  if (!hms || !site) throw new Error('the deployment has no hms in its primary Region');
  const secret = { Name: 'hms-primary-codeblue', SecretString: '{"username":"codeblue","password":"not-a-real-one"}' };
  const { ARN = '' } = await new SecretsManagerClient({ region: primary }).send(new CreateSecretCommand(secret));
  return { ...motoOperations, databases: [{ ...hms, sites: { ...hms.sites, [primary]: { ...site, secretArn: ARN } } }, ...rest] };
}

/** The deployment of moto with a group instead of a service. */
export const withGroup = (name: string): Operations => ({
  ...motoOperations,
  failover: {
    ...motoOperations.failover,
    capacity: [{ name, kind: 'auto-scaling-group', sites: { [standby]: name }, active: 4, standby: 2 }],
  },
});

/**
 * moto goes on naming the source of a replica that was promoted (5.2: `read_replica_source_db_instance_identifier` ignores `is_replica`), which RDS
 * does not, and names a source for an instance restored to a point in time. This takes it out of what the clients are told.
 */
export function correctPromotions(): void {
  for (const region of [primary, standby]) {
    const promoted = new Set<string>();
    rdsIn(region).middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const answer = await next(args);
          const {
            DBInstanceIdentifier: id,
            TargetDBInstanceIdentifier: target,
            NewDBInstanceIdentifier: renamed,
          } = Named.parse(args.input);
          if (target) promoted.add(target);
          if (id && renamed && promoted.delete(id)) promoted.add(renamed);
          if (commandName === 'PromoteReadReplicaCommand' && id) promoted.add(id);
          if (commandName === 'CreateDBInstanceReadReplicaCommand' && id) promoted.delete(id);
          if (commandName === 'DescribeDBInstancesCommand') {
            for (const instance of Described.parse(answer.output).DBInstances ?? []) {
              if (promoted.has(instance.DBInstanceIdentifier ?? '')) delete instance.ReadReplicaSourceDBInstanceIdentifier;
            }
          }
          return answer;
        },
      { step: 'initialize', name: 'correctPromotions', override: true },
    );
  }
}

const Named = z.object({
  DBInstanceIdentifier: z.string().optional(),
  TargetDBInstanceIdentifier: z.string().optional(),
  NewDBInstanceIdentifier: z.string().optional(),
});
const Described = z.object({ DBInstances: z.array(z.custom<DBInstance>()).optional() });
