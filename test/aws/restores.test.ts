import {
  CreateDBInstanceCommand,
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBClusterCommand,
  RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { databasesPort } from '../../functions/aws/databases.ts';
import { ownTags } from '../../functions/aws/rds-model.ts';
import { InvalidInput, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { awsSettings } from '../support/aws-settings.ts';

const rds = mockClient(RDSClient);
const hms = DatabaseId.parse('hms');
const billing = DatabaseId.parse('billing');
const region = Region.parse('us-east-1');
const restoredId = 'cbv-hms-20261121t073000z-1';
const snapshotId = 'cb-hms-daily-20261121t070000z';
const expiresAt = new Date('2026-11-21T12:00:00Z');
const databases = databasesPort(awsSettings());
const notFound = (name: string) => Object.assign(new Error('not found'), { name });

/** What moto cannot judge: states that last, what is asked for beside the identifiers, and the order of calls. */
describe('restores on RDS', () => {
  beforeEach(() => {
    rds.reset();
    rds.on(DescribeDBInstancesCommand).rejects(notFound('DBInstanceNotFoundFault'));
    rds.on(DescribeDBClustersCommand).rejects(notFound('DBClusterNotFoundFault'));
    rds.on(DescribeDBSnapshotsCommand).rejects(notFound('DBSnapshotNotFoundFault'));
    rds.on(DescribeDBClusterSnapshotsCommand).rejects(notFound('DBClusterSnapshotNotFoundFault'));
  });

  const instance = (status: string, secretStatus?: string) => ({
    DBInstances: [
      {
        ...{ DBInstanceIdentifier: restoredId, DBInstanceStatus: status, TagList: ownTags('hms', hms, expiresAt) },
        ...(secretStatus ? { MasterUserSecret: { SecretArn: 'arn', SecretStatus: secretStatus } } : {}),
      },
    ],
  });
  const snapshotOf = (facts: object) => ({ DBSnapshots: [{ DBSnapshotIdentifier: snapshotId, TagList: ownTags('hms', hms), ...facts }] });

  it('an instance goes into isolation: no public address, its own group and secret, no backups', async () => {
    rds.on(DescribeDBSnapshotsCommand).resolves(snapshotOf({ Status: 'available' }));
    rds.on(RestoreDBInstanceFromDBSnapshotCommand).callsFake(() => {
      rds.on(DescribeDBInstancesCommand, { DBInstanceIdentifier: restoredId }).resolves(instance('creating'));
      return {};
    });
    const restored = await databases.restore({ region, snapshotId }, { region, restoredId, databaseId: hms, expiresAt });
    expect(restored).toMatchObject({ restoredId, status: 'creating', expiresAt });
    expect(rds.commandCalls(RestoreDBInstanceFromDBSnapshotCommand)[0]?.args[0].input).toEqual({
      DBSnapshotIdentifier: snapshotId,
      DBInstanceIdentifier: restoredId,
      Port: 5432,
      DBSubnetGroupName: 'hms-codeblue-isolated',
      VpcSecurityGroupIds: ['sg-0isolated'],
      PubliclyAccessible: false,
      MultiAZ: false,
      DeletionProtection: false,
      AutoMinorVersionUpgrade: false,
      BackupRetentionPeriod: 0,
      ManageMasterUserPassword: true,
      MasterUserSecretKmsKeyId: 'alias/hms-codeblue-backup',
      Tags: ownTags('hms', hms, expiresAt),
    });
  });

  it('a Region whose isolated group is unknown is refused before anything is asked for', async () => {
    const elsewhere = Region.parse('us-west-2');
    rds.on(DescribeDBSnapshotsCommand).resolves(snapshotOf({ Status: 'available' }));
    const request = { region: elsewhere, restoredId, databaseId: hms, expiresAt };
    await expect(databases.restore({ region: elsewhere, snapshotId }, request)).rejects.toThrow(InvalidInput);
    expect(rds.commandCalls(RestoreDBInstanceFromDBSnapshotCommand)).toHaveLength(0);
  });

  it.each([
    ['creating', undefined, 'creating'],
    ['backing-up', 'active', 'creating'],
    ['available', 'creating', 'creating'],
    ['available', 'active', 'available'],
    ['deleting', 'active', 'deleting'],
    ['incompatible-restore', undefined, 'failed'],
    ['storage-full', 'active', 'failed'],
  ])('an instance that is %s with a secret that is %s counts as %s', async (rdsStatus, secret, expected) => {
    rds.on(DescribeDBInstancesCommand).resolves(instance(rdsStatus, secret));
    const found = await databases.describeRestored({ region, restoredId });
    expect(found?.status).toBe(expected);
    expect(found?.reason).toBe(expected === 'failed' ? `RDS calls it ${rdsStatus}` : undefined);
  });

  it.each([
    [{ Status: 'creating', PercentProgress: 0 }, false],
    [{ Status: 'creating', PercentProgress: 1 }, true],
    [{ Status: 'available', PercentProgress: 100 }, true],
    [{ Status: 'failed', PercentProgress: 40 }, false],
  ])('a snapshot at %o is captured: %s', async (facts, captured) => {
    rds.on(DescribeDBSnapshotsCommand).resolves(snapshotOf(facts));
    expect((await databases.describeSnapshot({ region, snapshotId }))?.captured).toBe(captured);
  });

  it('throttling is passed on as retryable', async () => {
    rds.on(DescribeDBSnapshotsCommand).rejects(Object.assign(new Error('rate exceeded'), { name: 'Throttling' }));
    await expect(databases.describeSnapshot({ region, snapshotId })).rejects.toThrow(ServiceUnavailable);
  });

  describe('of an Aurora cluster', () => {
    const clusterId = 'cbv-billing-20261121t073000z-1';
    const ref = { region, restoredId: clusterId };
    const cluster = (status: string, facts: object = {}) =>
      rds.on(DescribeDBClustersCommand, { DBClusterIdentifier: clusterId }).resolves({
        DBClusters: [{ DBClusterIdentifier: clusterId, Status: status, TagList: ownTags('hms', billing, expiresAt), ...facts }],
      });
    const member = (status: string) =>
      rds.on(DescribeDBInstancesCommand, { DBInstanceIdentifier: `${clusterId}-i` }).resolves({
        DBInstances: [{ DBInstanceIdentifier: `${clusterId}-i`, DBInstanceStatus: status, TagList: ownTags('hms', billing, expiresAt) }],
      });
    const activeSecret = { MasterUserSecret: { SecretArn: 'arn', SecretStatus: 'active' } };

    it('starts with the cluster alone, in isolation', async () => {
      const snapshot = {
        DBClusterSnapshotIdentifier: 'cb-billing-daily-20261121t070000z',
        Status: 'available',
        TagList: ownTags('hms', billing),
      };
      rds.on(DescribeDBClusterSnapshotsCommand).resolves({ DBClusterSnapshots: [snapshot] });
      rds.on(RestoreDBClusterFromSnapshotCommand).callsFake(() => cluster('creating'));
      const source = { region, snapshotId: snapshot.DBClusterSnapshotIdentifier };
      await databases.restore(source, { ...ref, databaseId: billing, expiresAt });
      expect(rds.commandCalls(RestoreDBClusterFromSnapshotCommand)[0]?.args[0].input).toMatchObject({
        SnapshotIdentifier: source.snapshotId,
        DBClusterIdentifier: clusterId,
        DBSubnetGroupName: 'hms-codeblue-isolated',
        VpcSecurityGroupIds: ['sg-0isolated'],
        DeletionProtection: false,
        Tags: ownTags('hms', billing, expiresAt),
      });
      expect(rds.commandCalls(CreateDBInstanceCommand)).toHaveLength(0);
    });

    it('asks for nothing while the cluster is being created', async () => {
      cluster('creating');
      expect((await databases.describeRestored(ref))?.status).toBe('creating');
      expect([...rds.commandCalls(CreateDBInstanceCommand), ...rds.commandCalls(ModifyDBClusterCommand)]).toHaveLength(0);
    });

    it('gets its instance and its secret once the cluster is available, and each once', async () => {
      cluster('available');
      expect((await databases.describeRestored(ref))?.status).toBe('creating');
      expect(rds.commandCalls(CreateDBInstanceCommand)[0]?.args[0].input).toMatchObject({
        DBInstanceIdentifier: `${clusterId}-i`,
        DBClusterIdentifier: clusterId,
        PubliclyAccessible: false,
        Tags: ownTags('hms', billing, expiresAt),
      });
      expect(rds.commandCalls(ModifyDBClusterCommand)[0]?.args[0].input).toMatchObject({
        ManageMasterUserPassword: true,
        MasterUserSecretKmsKeyId: 'alias/hms-codeblue-backup',
        ApplyImmediately: true,
      });
      cluster('available', activeSecret);
      member('creating');
      expect((await databases.describeRestored(ref))?.status).toBe('creating');
      expect(rds.commandCalls(CreateDBInstanceCommand)).toHaveLength(1);
      expect(rds.commandCalls(ModifyDBClusterCommand)).toHaveLength(1);
      member('available');
      expect((await databases.describeRestored(ref))?.status).toBe('available');
    });

    it('is removed instance first, and gone only when both are', async () => {
      cluster('available', activeSecret);
      member('available');
      await databases.removeRestored(ref);
      const order = rds.calls().map((call) => call.args[0].constructor);
      const [instanceAt, clusterAt] = [DeleteDBInstanceCommand, DeleteDBClusterCommand].map((command) => order.indexOf(command));
      expect(instanceAt).toBeGreaterThanOrEqual(0);
      expect(clusterAt).toBeGreaterThan(instanceAt ?? 0);

      rds.on(DescribeDBClustersCommand, { DBClusterIdentifier: clusterId }).rejects(notFound('DBClusterNotFoundFault'));
      member('deleting');
      expect((await databases.describeRestored(ref))?.status).toBe('deleting');
      rds.on(DescribeDBInstancesCommand).rejects(notFound('DBInstanceNotFoundFault'));
      rds.on(DescribeDBInstancesCommand, { DBInstanceIdentifier: `${clusterId}-i` }).rejects(notFound('DBInstanceNotFoundFault'));
      expect(await databases.describeRestored(ref)).toBeUndefined();
    });
  });
});
