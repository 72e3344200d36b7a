import {
  CreateDBInstanceReadReplicaCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeGlobalClustersCommand,
  FailoverGlobalClusterCommand,
  ModifyDBInstanceCommand,
  PromoteReadReplicaCommand,
  RDSClient,
  RestoreDBClusterToPointInTimeCommand,
  SwitchoverGlobalClusterCommand,
} from '@aws-sdk/client-rds';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { replicasPort } from '../../functions/aws/replicas.ts';
import { InvalidInput, NotFound, NotOwned, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { Epoch } from '../../functions/failover/models.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { testOperations } from '../support/operations.ts';

const rds = mockClient(RDSClient);
const hms = DatabaseId.parse('hms');
const billing = DatabaseId.parse('billing');
const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');

/** Both databases have a site in both Regions. */
const operations = (() => {
  const given = testOperations();
  const [first, second] = given.databases;
  const site = second?.sites[home];
  if (!first || !second || !site) throw new Error('the test deployment has two databases in its primary Region');
  return testOperations({
    databases: [first, { ...second, sites: { [home]: site, [away]: { ...site, identifier: 'billing-secondary' } } }],
  });
})();
const settings = { ...awsSettings(operations), region: away };
const replicas = replicasPort({ ...settings, rehearsalSecurityGroupId: 'sg-0rehearsal' });
const regionsCalled = async () => Promise.all(rds.calls().map(({ thisValue }) => thisValue.config.region()));

describe('a read replica of RDS', () => {
  const replica = {
    DBInstanceIdentifier: 'hms-replica',
    DBInstanceArn: 'arn:aws:rds:us-west-2:111122223333:db:hms-replica',
    DBInstanceStatus: 'available',
    BackupRetentionPeriod: 0,
    ReadReplicaSourceDBInstanceIdentifier: 'arn:aws:rds:us-east-1:111122223333:db:hms-primary',
    DBSubnetGroup: { DBSubnetGroupName: 'production' },
  };
  beforeEach(() => {
    rds.reset();
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [replica] });
  });

  it('is promoted in its own Region, with backups that reach as far back as the config wants', async () => {
    await replicas.promote({ databaseId: hms, region: away, kind: 'failover' });
    expect(rds.commandCalls(PromoteReadReplicaCommand)[0]?.args[0].input).toEqual({
      DBInstanceIdentifier: 'hms-replica',
      BackupRetentionPeriod: 1,
    });
    expect(new Set(await regionsCalled())).toEqual(new Set([away]));
  });

  it('that is backing up is promoted later', async () => {
    rds.on(PromoteReadReplicaCommand).rejects(Object.assign(new Error('backing up'), { name: 'InvalidDBInstanceStateFault' }));
    await expect(replicas.promote({ databaseId: hms, region: away, kind: 'failover' })).rejects.toThrow(ServiceUnavailable);
  });

  it.each([
    ['available', 'available'],
    ['backing-up', 'available'],
    ['modifying', 'promoting'],
    ['rebooting', 'promoting'],
    ['creating', 'creating'],
    ['stopped', 'failed'],
    ['incompatible-network', 'failed'],
  ])('that RDS calls %s is %s', async (DBInstanceStatus, status) => {
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ ...replica, DBInstanceStatus }] });
    expect(await replicas.describe(hms, away)).toMatchObject({ role: 'replica', status });
  });

  it('tells what RDS says of its replication', async () => {
    const StatusInfos = [{ StatusType: 'read replication', Normal: false, Status: 'error', Message: 'lost its place' }];
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ ...replica, StatusInfos }] });
    expect((await replicas.describe(hms, away)).says).toBe('available, replication error');
  });

  it('is absent when there is none', async () => {
    rds.on(DescribeDBInstancesCommand).rejects(Object.assign(new Error('none'), { name: 'DBInstanceNotFoundFault' }));
    expect(await replicas.describe(hms, away)).toMatchObject({ role: 'absent' });
    await expect(replicas.promote({ databaseId: hms, region: away, kind: 'failover' })).rejects.toThrow(NotFound);
  });
});

describe('a rebuild on RDS', () => {
  const old = {
    DBInstanceIdentifier: 'hms-primary',
    DBInstanceArn: 'arn:aws:rds:us-east-1:111122223333:db:hms-primary',
    DBInstanceStatus: 'available',
    DBInstanceClass: 'db.r6g.2xlarge',
    DBSubnetGroup: { DBSubnetGroupName: 'production' },
    VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-0database' }],
    DBParameterGroups: [{ DBParameterGroupName: 'hms-pg16' }],
    MultiAZ: true,
  };
  const rebuild = () => replicas.rebuild({ databaseId: hms, region: home, from: away, epoch: Epoch.parse(8) });
  const named = (instances: Readonly<Record<string, object>>) =>
    rds.on(DescribeDBInstancesCommand).callsFake(({ DBInstanceIdentifier: id }) => {
      if (instances[id]) return { DBInstances: [instances[id]] };
      throw Object.assign(new Error('none'), { name: 'DBInstanceNotFoundFault' });
    });
  beforeEach(() => rds.reset());

  it('keeps the old primary aside, protected and named by the epoch, before anything is made', async () => {
    named({ 'hms-primary': old });
    await expect(rebuild()).rejects.toThrow(/is being renamed to hms-primary-old-8/);
    expect(rds.commandCalls(ModifyDBInstanceCommand)[0]?.args[0].input).toMatchObject({
      NewDBInstanceIdentifier: 'hms-primary-old-8',
      DeletionProtection: true,
    });
    expect(rds.commandCalls(CreateDBInstanceReadReplicaCommand)).toEqual([]);
  });

  it('waits while the old primary is in a state in which it cannot be renamed', async () => {
    named({ 'hms-primary': { ...old, DBInstanceStatus: 'renaming' } });
    await expect(rebuild()).rejects.toThrow(ServiceUnavailable);
    expect(rds.commandCalls(ModifyDBInstanceCommand)).toEqual([]);
  });

  it("makes the replica under the old name, in the old one's place and under the Region's own key", async () => {
    named({ 'hms-primary-old-8': old });
    await rebuild();
    expect(rds.commandCalls(CreateDBInstanceReadReplicaCommand)[0]?.args[0].input).toMatchObject({
      DBInstanceIdentifier: 'hms-primary',
      SourceDBInstanceIdentifier: 'arn:aws:rds:us-west-2:111122223333:db:hms-replica',
      SourceRegion: away,
      KmsKeyId: operations.databases[0]?.sites[home]?.storageKeyArn,
      DBInstanceClass: 'db.r6g.2xlarge',
      DBSubnetGroupName: 'production',
      VpcSecurityGroupIds: ['sg-0database'],
      DBParameterGroupName: 'hms-pg16',
      MultiAZ: true,
      DeletionProtection: true,
    });
  });

  it('is done when what stands there follows the new primary', async () => {
    named({ 'hms-primary': { ...old, ReadReplicaSourceDBInstanceIdentifier: 'arn:aws:rds:us-west-2:111122223333:db:hms-replica' } });
    await rebuild();
    expect(rds.commandCalls(ModifyDBInstanceCommand)).toEqual([]);
    expect(rds.commandCalls(CreateDBInstanceReadReplicaCommand)).toEqual([]);
  });

  it('is not done when a copy has taken the place of the primary that it follows, whatever name is shown', async () => {
    const follows = { ReadReplicaSourceDBInstanceIdentifier: 'arn:aws:rds:us-west-2:111122223333:db:hms-replica' };
    const made = (day: number) => ({ InstanceCreateTime: new Date(Date.UTC(2026, 10, day)) });
    named({
      'hms-primary': { ...old, ...follows, ...made(3) },
      'hms-replica': { ...old, DBInstanceIdentifier: 'hms-replica', ...made(20) },
    });
    await expect(rebuild()).rejects.toThrow(/is being renamed to hms-primary-old-8/);
    named({
      'hms-primary': { ...old, ...follows, ...made(21) },
      'hms-replica': { ...old, DBInstanceIdentifier: 'hms-replica', ...made(20) },
    });
    await rebuild();
  });

  it('does not guess where a replica belongs when nothing stood there', async () => {
    named({});
    await expect(rebuild()).rejects.toThrow(InvalidInput);
  });
});

describe('a rehearsal on RDS', () => {
  const request = {
    databaseId: hms,
    region: away,
    from: home,
    restoredId: 'cbv-hms-1-drill',
    expiresAt: new Date('2026-11-21T12:00:00.000Z'),
  };
  beforeEach(() => {
    rds.reset();
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ DBSubnetGroup: { DBSubnetGroupName: 'production' } }] });
  });

  it('stands in the subnets of the real replica, behind a group of its own, marked to be thrown away', async () => {
    await replicas.createRehearsal(request);
    const input = rds.commandCalls(CreateDBInstanceReadReplicaCommand)[0]?.args[0].input;
    expect(input).toMatchObject({ DBSubnetGroupName: 'production', VpcSecurityGroupIds: ['sg-0rehearsal'], DeletionProtection: false });
    expect(input?.Tags).toEqual([
      { Key: 'codeblue:owner', Value: 'hms' },
      { Key: 'codeblue:database', Value: 'hms' },
      { Key: 'codeblue:expires', Value: '2026-11-21T12:00:00.000Z' },
    ]);
  });

  it('is not made where nobody knows the group that keeps others out', async () => {
    await expect(replicasPort(settings).createRehearsal(request)).rejects.toThrow(InvalidInput);
    await expect(replicas.createRehearsal({ ...request, region: home })).rejects.toThrow(InvalidInput);
    expect(rds.commandCalls(CreateDBInstanceReadReplicaCommand)).toEqual([]);
  });

  it('never promotes the real replica', async () => {
    await expect(replicas.promoteRehearsal({ ...request, restoredId: 'hms-replica' })).rejects.toThrow(NotOwned);
    expect(rds.commandCalls(PromoteReadReplicaCommand)).toEqual([]);
  });
});

describe('a global cluster of Aurora', () => {
  const arn = (region: string, name: string) => `arn:aws:rds:${region}:111122223333:cluster:${name}`;
  const members = (leader: Region) => [
    { DBClusterArn: arn(home, 'billing-cluster'), IsWriter: leader === home },
    { DBClusterArn: arn(away, 'billing-secondary'), IsWriter: leader === away },
  ];
  const globalCluster = (leader: Region, FailoverState?: object) =>
    rds.on(DescribeGlobalClustersCommand).resolves({
      GlobalClusters: [
        { GlobalClusterIdentifier: 'somebody-elses', GlobalClusterMembers: [] },
        { GlobalClusterIdentifier: 'billing', GlobalClusterMembers: members(leader), ...(FailoverState ? { FailoverState } : {}) },
      ],
    });
  const promote = (kind: 'failover' | 'switchover') => replicas.promote({ databaseId: billing, region: away, kind });
  beforeEach(() => {
    rds.reset();
    rds.on(DescribeDBClustersCommand).resolves({ DBClusters: [{ Status: 'available' }] });
    globalCluster(home);
  });

  it('tells which of its members leads', async () => {
    expect(await replicas.describe(billing, home)).toMatchObject({ role: 'primary', status: 'available' });
    expect(await replicas.describe(billing, away)).toMatchObject({ role: 'replica', status: 'available' });
  });

  it('fails over with the loss that was agreed to, asked in the Region that takes over and in no other', async () => {
    await promote('failover');
    expect(rds.commandCalls(FailoverGlobalClusterCommand)[0]?.args[0].input).toEqual({
      GlobalClusterIdentifier: 'billing',
      TargetDbClusterIdentifier: arn(away, 'billing-secondary'),
      AllowDataLoss: true,
    });
    expect(new Set(await regionsCalled())).toEqual(new Set([away]));
  });

  it('switches over without loss when both are well', async () => {
    await promote('switchover');
    expect(rds.commandCalls(SwitchoverGlobalClusterCommand)).toHaveLength(1);
    expect(rds.commandCalls(FailoverGlobalClusterCommand)).toEqual([]);
  });

  it('is not asked again while it moves, nor when it has', async () => {
    globalCluster(home, { Status: 'failing-over', ToDbClusterArn: arn(away, 'billing-secondary') });
    await promote('failover');
    expect(await replicas.describe(billing, away)).toMatchObject({ role: 'replica', status: 'promoting' });
    globalCluster(away);
    await promote('failover');
    expect(rds.commandCalls(FailoverGlobalClusterCommand)).toEqual([]);
  });

  it('takes its old primary back by itself: a rebuild only looks', async () => {
    globalCluster(away);
    await replicas.rebuild({ databaseId: billing, region: home, from: away, epoch: Epoch.parse(8) });
    rds.on(DescribeGlobalClustersCommand).resolves({ GlobalClusters: [] });
    const rebuild = replicas.rebuild({ databaseId: billing, region: home, from: away, epoch: Epoch.parse(8) });
    await expect(rebuild).rejects.toThrow(NotFound);
  });

  it('is rehearsed on a clone in the isolated network', async () => {
    await replicas.createRehearsal({
      ...{ databaseId: billing, region: away, from: home, restoredId: 'cbv-billing-1-drill' },
      expiresAt: new Date('2026-11-21T12:00:00.000Z'),
    });
    expect(rds.commandCalls(RestoreDBClusterToPointInTimeCommand)[0]?.args[0].input).toMatchObject({
      RestoreType: 'copy-on-write',
      SourceDBClusterIdentifier: 'billing-secondary',
      DBSubnetGroupName: 'hms-codeblue-isolated',
      VpcSecurityGroupIds: ['sg-0isolated'],
    });
  });
});
