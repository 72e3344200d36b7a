import {
  CopyDBClusterSnapshotCommand,
  CreateDBClusterSnapshotCommand,
  CreateDBInstanceCommand,
  type DBCluster,
  type DBClusterSnapshot,
  type DBInstance,
  DeleteDBClusterCommand,
  DeleteDBClusterSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  ModifyDBClusterCommand,
  paginateDescribeDBClusterSnapshots,
  paginateDescribeDBClusters,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBClusterToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import type { RestoredRef } from '../backup/ports.ts';
import { NotFound } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { snapshotArn, tagKeys } from '../common/names.ts';
import type { Database } from '../common/operations.ts';
import { callingFor } from './errors.ts';
import {
  GIBIBYTE,
  type Isolation,
  type RdsKind,
  type RdsRestored,
  type RdsSnapshot,
  rdsIn,
  restoredStatus,
  snapshotStatus,
  tagsOf,
} from './rds-model.ts';
import type { AwsSettings } from './settings.ts';

/** For restored copies of a cluster whose own instance class is unknown in that Region. */
const defaultInstanceClass = 'db.r6g.large';

/** Aurora PostgreSQL. A restored database is a cluster with one instance; it is gone when both are. */
export function auroraClusters({ operations, clock }: AwsSettings): RdsKind {
  const find = async (region: Region, identifier: string): Promise<DBCluster | undefined> => {
    const found = await callingFor(`describe cluster ${identifier} in ${region}`, () =>
      rdsIn(region).send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
    );
    return found?.DBClusters?.[0];
  };

  return {
    engine: 'aurora-postgresql',
    async describeLive(identifier, region) {
      const cluster = await find(region, identifier);
      if (!cluster) throw new NotFound(`there is no Aurora cluster ${identifier} in ${region}`);
      return asLive(cluster);
    },
    async createSnapshot({ region, snapshotId }, identifier, tags) {
      const command = { DBClusterIdentifier: identifier, DBClusterSnapshotIdentifier: snapshotId, Tags: tags };
      await rdsIn(region).send(new CreateDBClusterSnapshotCommand(command));
    },
    async findSnapshot({ region, snapshotId }) {
      const snapshots = await callingFor(`describe snapshot ${snapshotId} in ${region}`, () =>
        snapshotPages(region, clock.now(), snapshotId),
      );
      return snapshots?.[0];
    },
    listSnapshots: (region) => snapshotPages(region, clock.now()),
    async copySnapshot(from, to, keyAlias, tags) {
      await rdsIn(to.region).send(
        new CopyDBClusterSnapshotCommand({
          SourceDBClusterSnapshotIdentifier: snapshotArn(operations, from.region, 'cluster-snapshot', from.snapshotId),
          TargetDBClusterSnapshotIdentifier: to.snapshotId,
          KmsKeyId: keyAlias,
          Tags: tags,
          ...(from.region === to.region ? {} : { SourceRegion: from.region }),
        }),
      );
    },
    async deleteSnapshot({ region, snapshotId }) {
      await rdsIn(region).send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: snapshotId }));
    },
    async restore(snapshotId, { region, restoredId }, database, isolation, tags) {
      const command = { SnapshotIdentifier: snapshotId, DBClusterIdentifier: restoredId, Engine: 'aurora-postgresql' };
      await rdsIn(region).send(new RestoreDBClusterFromSnapshotCommand({ ...command, ...isolated(database, isolation), Tags: [...tags] }));
    },
    async restoreToTime(time, source, { region, restoredId }, database, isolation, tags) {
      const command = { SourceDBClusterIdentifier: source, DBClusterIdentifier: restoredId, RestoreToTime: time };
      await rdsIn(region).send(new RestoreDBClusterToPointInTimeCommand({ ...command, ...isolated(database, isolation), Tags: [...tags] }));
    },
    async findRestored(ref) {
      const cluster = await find(ref.region, ref.restoredId);
      const instance = await findInstance(ref);
      if (cluster) return asRestored(ref.region, cluster, instance, clock.now());
      return instance && leftover(ref, instance, clock.now());
    },
    async listRestored(region) {
      const found: RdsRestored[] = [];
      for await (const page of paginateDescribeDBClusters({ client: rdsIn(region) }, {})) {
        const restored = (page.DBClusters ?? []).filter((cluster) => tagsOf(cluster.TagList).has(tagKeys.expires));
        for (const cluster of restored) {
          const instance = await findInstance({ region, restoredId: cluster.DBClusterIdentifier ?? '' });
          found.push(asRestored(region, cluster, instance, clock.now()));
        }
      }
      return found;
    },
    async finishRestore(ref, database, keyAlias) {
      const cluster = await find(ref.region, ref.restoredId);
      if (cluster?.Status !== 'available') return;
      if (!(await findInstance(ref))) await createInstance(ref, cluster, database);
      if (cluster.MasterUserSecret) return;
      // The restore of a cluster takes no managed secret; a cluster that is available does.
      const secret = { ManageMasterUserPassword: true, MasterUserSecretKmsKeyId: keyAlias };
      const command = { DBClusterIdentifier: ref.restoredId, ...secret, BackupRetentionPeriod: 1, ApplyImmediately: true };
      await rdsIn(ref.region).send(new ModifyDBClusterCommand(command));
    },
    async deleteRestored(ref) {
      const rds = rdsIn(ref.region);
      const instance = await findInstance(ref);
      if (instance && instance.DBInstanceStatus !== 'deleting') {
        await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: instance.DBInstanceIdentifier, SkipFinalSnapshot: true }));
      }
      const cluster = await find(ref.region, ref.restoredId);
      if (!cluster || cluster.Status === 'deleting') return;
      const command = { DBClusterIdentifier: ref.restoredId, SkipFinalSnapshot: true, DeleteAutomatedBackups: true };
      await rds.send(new DeleteDBClusterCommand(command));
    },
    async liveHost(identifier, region) {
      const cluster = await find(region, identifier);
      // The writer endpoint of a secondary of a global cluster resolves to nothing: none of its members writes.
      const writes = (cluster?.DBClusterMembers ?? []).some((member) => member.IsClusterWriter);
      const host = writes ? cluster?.Endpoint : (cluster?.ReaderEndpoint ?? cluster?.Endpoint);
      if (!host) throw new NotFound(`there is no Aurora cluster ${identifier} with an endpoint in ${region}`);
      return host;
    },
    async securityGroups(identifier, region) {
      const cluster = await find(region, identifier);
      if (!cluster) throw new NotFound(`there is no Aurora cluster ${identifier} in ${region}`);
      return (cluster.VpcSecurityGroups ?? []).flatMap(({ VpcSecurityGroupId }) => VpcSecurityGroupId ?? []);
    },
    async access({ region, restoredId }) {
      const cluster = await find(region, restoredId);
      const secretArn = cluster?.MasterUserSecret?.SecretArn;
      return cluster?.Endpoint && cluster.Port && secretArn ? { host: cluster.Endpoint, port: cluster.Port, secretArn } : undefined;
    },
  };

  async function createInstance({ region, restoredId }: RestoredRef, cluster: DBCluster, database: Database): Promise<void> {
    const live = database.sites[region]?.identifier;
    const source = database.restoreInstanceClass ? undefined : live && (await find(region, live));
    const writer = source ? (source.DBClusterMembers ?? []).find((member) => member.IsClusterWriter)?.DBInstanceIdentifier : undefined;
    const liveClass = writer && (await describeInstance(region, writer))?.DBInstanceClass;
    // Serverless capacity is a setting of the cluster that a restore does not carry over.
    const usable = liveClass && liveClass !== 'db.serverless' ? liveClass : defaultInstanceClass;
    await rdsIn(region).send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: instanceIdOf(restoredId),
        DBClusterIdentifier: restoredId,
        DBInstanceClass: database.restoreInstanceClass ?? usable,
        Engine: 'aurora-postgresql',
        PubliclyAccessible: false,
        AutoMinorVersionUpgrade: false,
        Tags: (cluster.TagList ?? []).filter((tag) => !tag.Key?.startsWith('aws:')), // AWS's own cannot be given
      }),
    );
  }
}

/** RDS allows 63 characters and no hyphen at the end. */
const instanceIdOf = (restoredId: string): string => `${restoredId.slice(0, 61).replace(/-+$/, '')}-i`;

const findInstance = ({ region, restoredId }: RestoredRef): Promise<DBInstance | undefined> =>
  describeInstance(region, instanceIdOf(restoredId));

async function describeInstance(region: Region, identifier: string): Promise<DBInstance | undefined> {
  const found = await callingFor(`describe instance ${identifier} in ${region}`, () =>
    rdsIn(region).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
  );
  return found?.DBInstances?.[0];
}

/** Aurora keeps at least one day of backups; they go with the cluster. */
const isolated = (database: Database, isolation: Isolation) => ({
  Port: database.port,
  DBSubnetGroupName: isolation.subnetGroup,
  VpcSecurityGroupIds: [isolation.securityGroupId],
  DeletionProtection: false,
});

const asLive = (cluster: DBCluster) => ({
  status: cluster.Status ?? 'unknown',
  engineVersion: cluster.EngineVersion ?? 'unknown',
  sizeBytes: (cluster.AllocatedStorage ?? 0) * GIBIBYTE,
  encrypted: cluster.StorageEncrypted ?? false,
  deletionProtected: cluster.DeletionProtection ?? false,
  logRetentionDays: cluster.BackupRetentionPeriod ?? 0,
  ...(cluster.EarliestRestorableTime ? { earliestRestorableAt: cluster.EarliestRestorableTime } : {}),
  ...(cluster.LatestRestorableTime ? { latestRestorableAt: cluster.LatestRestorableTime } : {}),
  ...(cluster.ReplicationSourceIdentifier ? { replicaOf: cluster.ReplicationSourceIdentifier } : {}),
  replicas: cluster.ReadReplicaIdentifiers ?? [],
});

async function snapshotPages(region: Region, now: Date, snapshotId?: string): Promise<RdsSnapshot[]> {
  const query = snapshotId === undefined ? { SnapshotType: 'manual' } : { DBClusterSnapshotIdentifier: snapshotId };
  const found: RdsSnapshot[] = [];
  for await (const page of paginateDescribeDBClusterSnapshots({ client: rdsIn(region) }, query)) {
    found.push(...(page.DBClusterSnapshots ?? []).map((snapshot) => asSnapshot(region, snapshot, now)));
  }
  return found;
}

function asSnapshot(region: Region, snapshot: DBClusterSnapshot, now: Date): RdsSnapshot {
  const rdsStatus = snapshot.Status ?? 'unknown';
  const tags = tagsOf(snapshot.TagList);
  const isCopy = tags.has(tagKeys.copiedFrom);
  const status = snapshotStatus(rdsStatus);
  return {
    snapshot: {
      region,
      snapshotId: snapshot.DBClusterSnapshotIdentifier ?? '',
      status,
      captured: status === 'available' || (status === 'creating' && (isCopy || (snapshot.PercentProgress ?? 0) > 0)),
      createdAt: snapshot.SnapshotCreateTime ?? now,
      sizeBytes: (snapshot.AllocatedStorage ?? 0) * GIBIBYTE,
      engineVersion: snapshot.EngineVersion ?? 'unknown',
      encrypted: snapshot.StorageEncrypted ?? false,
      keyId: snapshot.KmsKeyId ?? '',
    },
    rdsStatus,
    tags,
    engine: snapshot.Engine ?? 'unknown',
    isCopy,
  };
}

/** Available only when cluster, instance and secret all are. */
function asRestored(region: Region, cluster: DBCluster, instance: DBInstance | undefined, now: Date): RdsRestored {
  const clusterStatus = restoredStatus(cluster.Status ?? 'unknown', cluster.MasterUserSecret?.SecretStatus);
  const instanceStatus = restoredStatus(instance?.DBInstanceStatus ?? 'creating', 'active');
  const both = [clusterStatus, instanceStatus] as const;
  const decisive = (['failed', 'deleting', 'creating'] as const).find((status) => both.includes(status)) ?? 'available';
  return {
    restored: {
      region,
      restoredId: cluster.DBClusterIdentifier ?? '',
      status: clusterStatus === 'deleting' ? 'deleting' : decisive,
      createdAt: cluster.ClusterCreateTime ?? now,
      ...(decisive === 'failed'
        ? { reason: `RDS calls the cluster ${cluster.Status}, its instance ${instance?.DBInstanceStatus ?? 'absent'}` }
        : {}),
    },
    tags: tagsOf(cluster.TagList),
  };
}

/** The cluster is gone and its instance is still going. */
const leftover = ({ region, restoredId }: RestoredRef, instance: DBInstance, now: Date): RdsRestored => ({
  restored: { region, restoredId, status: 'deleting', createdAt: instance.InstanceCreateTime ?? now },
  tags: tagsOf(instance.TagList),
});
