import {
  CopyDBSnapshotCommand,
  CreateDBSnapshotCommand,
  type DBInstance,
  type DBSnapshot,
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  paginateDescribeDBInstances,
  paginateDescribeDBSnapshots,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
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

/** RDS for PostgreSQL: one instance, its snapshots, and instances restored from them. */
export function rdsInstances({ operations, clock }: AwsSettings): RdsKind {
  const find = async (region: Region, identifier: string): Promise<DBInstance | undefined> => {
    const found = await callingFor(`describe instance ${identifier} in ${region}`, () =>
      rdsIn(region).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
    );
    return found?.DBInstances?.[0];
  };

  return {
    engine: 'postgres',
    async describeLive(identifier, region) {
      const instance = await find(region, identifier);
      if (!instance) throw new NotFound(`there is no RDS instance ${identifier} in ${region}`);
      const retention = instance.BackupRetentionPeriod ?? 0;
      return {
        status: instance.DBInstanceStatus ?? 'unknown',
        engineVersion: instance.EngineVersion ?? 'unknown',
        sizeBytes: (instance.AllocatedStorage ?? 0) * GIBIBYTE,
        encrypted: instance.StorageEncrypted ?? false,
        deletionProtected: instance.DeletionProtection ?? false,
        logRetentionDays: retention,
        ...(retention > 0 ? { earliestRestorableAt: await earliestRestorable(region, identifier) } : {}),
        ...(instance.LatestRestorableTime ? { latestRestorableAt: instance.LatestRestorableTime } : {}),
        ...(instance.ReadReplicaSourceDBInstanceIdentifier ? { replicaOf: instance.ReadReplicaSourceDBInstanceIdentifier } : {}),
        replicas: instance.ReadReplicaDBInstanceIdentifiers ?? [],
      };
    },
    async createSnapshot({ region, snapshotId }, identifier, tags) {
      const command = new CreateDBSnapshotCommand({ DBInstanceIdentifier: identifier, DBSnapshotIdentifier: snapshotId, Tags: tags });
      await rdsIn(region).send(command);
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
        new CopyDBSnapshotCommand({
          SourceDBSnapshotIdentifier: snapshotArn(operations, from.region, 'snapshot', from.snapshotId),
          TargetDBSnapshotIdentifier: to.snapshotId,
          KmsKeyId: keyAlias,
          Tags: tags, // not CopyTags: ownership must not hang on what the source carries
          ...(from.region === to.region ? {} : { SourceRegion: from.region }),
        }),
      );
    },
    async deleteSnapshot({ region, snapshotId }) {
      await rdsIn(region).send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: snapshotId }));
    },
    async restore(snapshotId, { region, restoredId }, database, isolation, tags) {
      await rdsIn(region).send(
        new RestoreDBInstanceFromDBSnapshotCommand({
          DBSnapshotIdentifier: snapshotId,
          DBInstanceIdentifier: restoredId,
          ...isolated(database, isolation),
          Tags: [...tags],
        }),
      );
    },
    async restoreToTime(time, source, { region, restoredId }, database, isolation, tags) {
      await rdsIn(region).send(
        new RestoreDBInstanceToPointInTimeCommand({
          SourceDBInstanceIdentifier: source,
          TargetDBInstanceIdentifier: restoredId,
          RestoreTime: time,
          ...isolated(database, isolation),
          Tags: [...tags],
        }),
      );
    },
    async findRestored({ region, restoredId }) {
      const instance = await find(region, restoredId);
      return instance && asRestored(region, instance, clock.now());
    },
    async listRestored(region) {
      const found: RdsRestored[] = [];
      for await (const page of paginateDescribeDBInstances({ client: rdsIn(region) }, {})) {
        const alone = (page.DBInstances ?? []).filter((instance) => !instance.DBClusterIdentifier);
        found.push(...alone.map((instance) => asRestored(region, instance, clock.now())));
      }
      return found;
    },
    async finishRestore({ region, restoredId }, _database, keyAlias) {
      const instance = await find(region, restoredId);
      // A rehearsal that still is a replica cannot have a secret: its roles are its source's.
      if (instance?.DBInstanceStatus !== 'available' || instance.MasterUserSecret || instance.ReadReplicaSourceDBInstanceIdentifier) return;
      // The restore asked for a managed secret; an instance that came up without one gets it now.
      const secret = { ManageMasterUserPassword: true, MasterUserSecretKmsKeyId: keyAlias };
      await rdsIn(region).send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: restoredId, ...secret, ApplyImmediately: true }));
    },
    async deleteRestored({ region, restoredId }) {
      const command = { DBInstanceIdentifier: restoredId, SkipFinalSnapshot: true, DeleteAutomatedBackups: true };
      await rdsIn(region).send(new DeleteDBInstanceCommand(command));
    },
    async liveHost(identifier, region) {
      const host = (await find(region, identifier))?.Endpoint?.Address;
      if (!host) throw new NotFound(`there is no RDS instance ${identifier} with an endpoint in ${region}`);
      return host;
    },
    async securityGroups(identifier, region) {
      const instance = await find(region, identifier);
      if (!instance) throw new NotFound(`there is no RDS instance ${identifier} in ${region}`);
      return (instance.VpcSecurityGroups ?? []).flatMap(({ VpcSecurityGroupId }) => VpcSecurityGroupId ?? []);
    },
    async access({ region, restoredId }) {
      const instance = await find(region, restoredId);
      const { Address, Port } = instance?.Endpoint ?? {};
      const secretArn = instance?.MasterUserSecret?.SecretArn;
      return Address && Port && secretArn ? { host: Address, port: Port, secretArn } : undefined;
    },
  };
}

/** No way in but the verifier's, no second zone, no backups of its own, and credentials that die with it. */
const isolated = (database: Database, isolation: Isolation) => ({
  ...(database.restoreInstanceClass ? { DBInstanceClass: database.restoreInstanceClass } : {}),
  Port: database.port,
  DBSubnetGroupName: isolation.subnetGroup,
  VpcSecurityGroupIds: [isolation.securityGroupId],
  PubliclyAccessible: false,
  MultiAZ: false,
  DeletionProtection: false,
  AutoMinorVersionUpgrade: false,
  BackupRetentionPeriod: 0,
  ManageMasterUserPassword: true,
  MasterUserSecretKmsKeyId: isolation.keyAlias,
});

async function earliestRestorable(region: Region, identifier: string): Promise<Date | undefined> {
  const command = new DescribeDBInstanceAutomatedBackupsCommand({ DBInstanceIdentifier: identifier });
  const found = await callingFor(`describe the automated backups of ${identifier} in ${region}`, () => rdsIn(region).send(command));
  return found?.DBInstanceAutomatedBackups?.find((backup) => backup.Region === undefined || backup.Region === region)?.RestoreWindow
    ?.EarliestTime;
}

async function snapshotPages(region: Region, now: Date, snapshotId?: string): Promise<RdsSnapshot[]> {
  const query = snapshotId === undefined ? { SnapshotType: 'manual' } : { DBSnapshotIdentifier: snapshotId };
  const found: RdsSnapshot[] = [];
  for await (const page of paginateDescribeDBSnapshots({ client: rdsIn(region) }, query)) {
    found.push(...(page.DBSnapshots ?? []).map((snapshot) => asSnapshot(region, snapshot, now)));
  }
  return found;
}

function asSnapshot(region: Region, snapshot: DBSnapshot, now: Date): RdsSnapshot {
  const rdsStatus = snapshot.Status ?? 'unknown';
  const tags = tagsOf(snapshot.TagList);
  const isCopy = tags.has(tagKeys.copiedFrom);
  const status = snapshotStatus(rdsStatus);
  return {
    snapshot: {
      region,
      snapshotId: snapshot.DBSnapshotIdentifier ?? '',
      status,
      // RDS stores bytes only after the storage snapshot itself was taken; a copy shows an instant long past.
      captured: status === 'available' || (status === 'creating' && (isCopy || (snapshot.PercentProgress ?? 0) > 0)),
      createdAt: snapshot.SnapshotCreateTime ?? now,
      sizeBytes: (snapshot.AllocatedStorage ?? 0) * GIBIBYTE,
      engineVersion: snapshot.EngineVersion ?? 'unknown',
      encrypted: snapshot.Encrypted ?? false,
      keyId: snapshot.KmsKeyId ?? '',
    },
    rdsStatus,
    tags,
    engine: snapshot.Engine ?? 'unknown',
    isCopy,
  };
}

function asRestored(region: Region, instance: DBInstance, now: Date): RdsRestored {
  const rdsStatus = instance.DBInstanceStatus ?? 'unknown';
  const isReplica = instance.ReadReplicaSourceDBInstanceIdentifier !== undefined;
  const status = restoredStatus(rdsStatus, isReplica ? 'active' : instance.MasterUserSecret?.SecretStatus);
  return {
    restored: {
      region,
      restoredId: instance.DBInstanceIdentifier ?? '',
      status,
      createdAt: instance.InstanceCreateTime ?? now,
      ...(status === 'failed' ? { reason: `RDS calls it ${rdsStatus}` } : {}),
    },
    tags: tagsOf(instance.TagList),
  };
}
