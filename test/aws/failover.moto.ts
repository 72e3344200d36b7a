import { DescribeSecurityGroupRulesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateDBInstanceReadReplicaCommand } from '@aws-sdk/client-rds';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { expect, it } from 'vitest';
import { capacityPort } from '../../functions/aws/capacity.ts';
import { coordinationPort } from '../../functions/aws/coordination.ts';
import { databasesPort } from '../../functions/aws/databases.ts';
import { networkFencePort } from '../../functions/aws/network-fence.ts';
import { noticesPort } from '../../functions/aws/notices.ts';
import { rdsIn } from '../../functions/aws/rds-model.ts';
import type { Connect } from '../../functions/aws/replica-kind.ts';
import { replicasPort } from '../../functions/aws/replicas.ts';
import { reportsPort } from '../../functions/aws/reports.ts';
import type { AwsSettings } from '../../functions/aws/settings.ts';
import { InvalidInput, NotFound } from '../../functions/common/errors.ts';
import { alarmTopicName, databaseArn } from '../../functions/common/names.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { capacityContract, restartContract } from '../contracts/capacity.contract.ts';
import { coordinationContract } from '../contracts/coordination.contract.ts';
import { networkFenceContract } from '../contracts/network-fence.contract.ts';
import { replicasContract } from '../contracts/replicas.contract.ts';
import { reportsContract } from '../contracts/reports.contract.ts';
import { createBuckets, createIsolatedNetwork, createKeys, motoOperations, motoSettings, resetMoto } from '../support/moto.ts';
import {
  correctPromotions,
  createAutoScalingGroup,
  createCoordinationTable,
  createGroup,
  createReplicatedDatabase,
  createService,
  letIn,
  withGroup,
  withRealSecret,
} from '../support/moto-failover.ts';

const { primary, standby } = motoOperations.regions;
const settings = motoSettings(manualClock('2026-11-21T07:00:00Z'));
/** moto has no PostgreSQL: who logs in is let in. */
const letsEverybodyIn: Connect = () => ({ connect: async () => ({ query: async () => [], close: async () => {} }) });
/** moto finishes everything at once. */
const settle = async () => {};

coordinationContract(async () => {
  await resetMoto();
  await createCoordinationTable();
  return coordinationPort(settings);
});

reportsContract(async () => {
  await resetMoto();
  await Promise.all([createKeys(), createBuckets()]);
  return reportsPort(settings);
});

const freshService = async () => {
  await resetMoto();
  await createService();
  return { capacity: capacityPort(settings), settle };
};
capacityContract('orders-api', freshService);
restartContract('orders-api', freshService);

capacityContract('workers', async () => {
  await resetMoto();
  await createAutoScalingGroup('workers');
  return { capacity: capacityPort({ operations: withGroup('workers') }), settle };
});

it('an Auto Scaling group is not pushed past its own limits', async () => {
  await resetMoto();
  await createAutoScalingGroup('workers');
  const capacity = capacityPort({ operations: withGroup('workers') });
  await expect(capacity.scale({ name: 'workers', region: standby }, 9, 'at-least')).rejects.toThrow(InvalidInput);
  expect((await capacity.describe({ name: 'workers', region: standby })).wanted).toBe(2);
});

replicasContract(async () => {
  await resetMoto();
  const keys = await createKeys();
  await createReplicatedDatabase(keys);
  correctPromotions();
  const operations = await withRealSecret();
  const inStandby: AwsSettings = {
    ...{ ...settings, operations },
    ...{ region: standby, rehearsalSecurityGroupId: await createGroup(standby, 'rehearsal') },
  };
  const inPrimary = { ...motoSettings(settings.clock, await createIsolatedNetwork()), operations };
  const source = motoOperations.databases[0]?.sites[primary]?.identifier ?? '';
  return {
    replicas: replicasPort(inStandby, letsEverybodyIn),
    databases: { ...databasesPort(inStandby), restoreToTime: databasesPort(inPrimary).restoreToTime },
    settle,
    async addForeignReplica(region, DBInstanceIdentifier) {
      const SourceDBInstanceIdentifier = databaseArn(motoOperations, primary, 'db', source);
      const replica = { DBInstanceIdentifier, SourceDBInstanceIdentifier, SourceRegion: primary, KmsKeyId: keys.get(region) };
      await rdsIn(region).send(new CreateDBInstanceReadReplicaCommand(replica));
    },
  };
});

networkFenceContract(async () => {
  await resetMoto();
  const { groupId, vpcId } = await createReplicatedDatabase(await createKeys());
  const ours = await createGroup(primary, 'codeblue', vpcId);
  const application = await createGroup(primary, 'application', vpcId);
  await letIn(primary, groupId, { group: ours }, 5432);
  await letIn(primary, groupId, { group: application }, 5432);
  await letIn(primary, groupId, { cidr: '10.0.0.0/8', says: 'workers' }, 5432);
  await letIn(primary, groupId, { cidr: '10.9.0.0/16', says: 'codeblue: guardian of us-west-2' }, 5432);
  await letIn(primary, groupId, { cidr: '10.1.0.0/16' }, 22);
  const [hms, ...rest] = motoOperations.databases;
  const site = hms?.sites[primary];
  if (!hms || !site) throw new Error('the deployment has no hms in its primary Region');
  const network = { ...site.network, securityGroupId: ours };
  const operations = { ...motoOperations, databases: [{ ...hms, sites: { ...hms.sites, [primary]: { ...site, network } } }, ...rest] };
  return {
    networkFence: networkFencePort({ ...settings, operations }),
    spared: ['10.9.0.0/16 codeblue: guardian of us-west-2', ours],
    async letIn() {
      const query = new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: [groupId] }] });
      const { SecurityGroupRules = [] } = await new EC2Client({ region: primary }).send(query);
      const onPort = SecurityGroupRules.filter((rule) => !rule.IsEgress && rule.FromPort === 5432);
      return onPort.map((rule) => `${rule.ReferencedGroupInfo?.GroupId ?? rule.CidrIpv4} ${rule.Description ?? ''}`.trim()).toSorted();
    },
  };
});

it('a notice goes to the alarm topic of the Region that it names', async () => {
  await resetMoto();
  const notice = { severity: 1, subject: 'Failover – started', text: 'us-east-1 does not answer' } as const;
  await new SNSClient({ region: standby }).send(new CreateTopicCommand({ Name: alarmTopicName(motoOperations) }));
  const notices = noticesPort(settings);
  await notices.publish({ ...notice, region: standby });
  await expect(notices.publish({ ...notice, region: primary })).rejects.toThrow(NotFound);
});
