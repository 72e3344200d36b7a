import {
  AddTagsToResourceCommand,
  CreateDBInstanceReadReplicaCommand,
  type CreateDBInstanceReadReplicaMessage,
  type DBInstance,
  ModifyDBInstanceCommand,
  PromoteReadReplicaCommand,
} from '@aws-sdk/client-rds';
import { InvalidInput, NotFound, NotOwned, ServiceUnavailable } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { backupKeyAlias, databaseArn, environmentNames, tagKeys } from '../common/names.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import { errorNameOf } from './errors.ts';
import { isAlreadyExists, ownedDatabase, ownTags, rdsIn, tagsOf } from './rds-model.ts';
import { groupsOf } from './rds-shape.ts';
import { stateOf } from './rds-status.ts';
import { rdsSwaps } from './rds-swap.ts';
import { type Connect, describeInstance, type ReplicaKind } from './replica-kind.ts';
import type { AwsSettings } from './settings.ts';

const SECONDS_PER_DAY = 86_400;

/** RDS for PostgreSQL: an instance in one Region, its read replica in another. */
export function rdsReplicas(settings: AwsSettings, connect?: Connect): ReplicaKind {
  const { operations } = settings;
  const owner = operations.name;

  /** A replica whose rebuild is under way has the old instance's settings still; one that was never there has none to take. */
  async function shapeOf(region: Region, aside: string): Promise<DBInstance> {
    const old = await describeInstance(region, aside);
    if (old) return old;
    throw new InvalidInput(`nothing stood in ${region} that a new replica could take its subnets and groups from`, {
      hint: 'Create the replica by hand, under the identifier of the config; the next try finds it.',
    });
  }

  async function keepAside(region: Region, instance: DBInstance, database: Database, aside: string, epoch: number): Promise<void> {
    if (instance.DBInstanceStatus !== 'available') {
      throw new ServiceUnavailable(
        `${instance.DBInstanceIdentifier} in ${region} is ${instance.DBInstanceStatus}; it cannot be renamed yet`,
      );
    }
    const Tags = [...ownTags(owner, database.id), { Key: tagKeys.keptAside, Value: String(epoch) }];
    await rdsIn(region).send(new AddTagsToResourceCommand({ ResourceName: instance.DBInstanceArn, Tags }));
    const renamed = { NewDBInstanceIdentifier: aside, DeletionProtection: true, ApplyImmediately: true };
    await rdsIn(region).send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: instance.DBInstanceIdentifier, ...renamed }));
    throw new ServiceUnavailable(`${instance.DBInstanceIdentifier} in ${region} is being renamed to ${aside}`, {
      hint: 'It takes minutes; the replica is made under its name when that is free.',
    });
  }

  async function makeReplica(database: Database, site: DatabaseSite, region: Region, from: Region, old: DBInstance): Promise<void> {
    const command: CreateDBInstanceReadReplicaMessage = {
      DBInstanceIdentifier: site.identifier,
      ...sourceIn(database, from, region),
      ...(site.storageKeyArn ? { KmsKeyId: site.storageKeyArn } : {}),
      ...sameShape(old),
      Port: database.port,
      DeletionProtection: true,
      CopyTagsToSnapshot: old.CopyTagsToSnapshot ?? false,
    };
    await rdsIn(region).send(new CreateDBInstanceReadReplicaCommand(command));
  }

  /** The source as RDS wants it named: by ARN, with its Region, when that is another one. */
  function sourceIn(
    database: Database,
    from: Region,
    region: Region,
  ): Pick<CreateDBInstanceReadReplicaMessage, 'SourceDBInstanceIdentifier'> & {
    SourceRegion?: string;
  } {
    const source = database.sites[from];
    if (!source) throw new NotFound(`the config has no ${database.id} in ${from}`);
    if (from === region) return { SourceDBInstanceIdentifier: source.identifier };
    return { SourceDBInstanceIdentifier: databaseArn(operations, from, 'db', source.identifier), SourceRegion: from };
  }

  return {
    ...rdsSwaps(settings, connect),
    async describe(site, region) {
      const instance = await describeInstance(region, site.identifier);
      return instance ? stateOf(instance) : { role: 'absent', status: 'available', says: `there is no instance ${site.identifier}` };
    },
    async promote(database, site, region) {
      const instance = await describeInstance(region, site.identifier);
      if (!instance) throw new NotFound(`there is no RDS instance ${site.identifier} in ${region}`);
      if (!instance.ReadReplicaSourceDBInstanceIdentifier) return;
      // What promotion does not ask for is one day: the new primary must be restorable as the old one was.
      const days = database.pointInTime.enabled ? Math.ceil(database.pointInTime.window / SECONDS_PER_DAY) : 1;
      const BackupRetentionPeriod = Math.max(instance.BackupRetentionPeriod ?? 0, days, 1);
      await rdsIn(region).send(new PromoteReadReplicaCommand({ DBInstanceIdentifier: site.identifier, BackupRetentionPeriod }));
    },
    async rebuild(database, site, region, from, epoch) {
      const aside = `${site.identifier}-old-${epoch}`;
      const instance = await describeInstance(region, site.identifier);
      if (instance && followsSite(instance, database, from, operations) && !(await isAstray(instance, database, from))) return;
      if (instance) return keepAside(region, instance, database, aside, epoch);
      const old = await shapeOf(region, aside);
      await makeReplica(database, site, region, from, old);
    },
    async createRehearsal(database, site, { region, from, restoredId, expiresAt }) {
      const group = settings.rehearsalSecurityGroupId;
      if (region !== settings.region || group === undefined) {
        throw new InvalidInput(`this process cannot rehearse in ${region}: it knows no security group for it there`, {
          hint: `Rehearsals run in a function of that Region that has ${environmentNames.rehearsalSecurityGroup}.`,
        });
      }
      const beside = await describeInstance(region, site.identifier);
      if (!beside) throw new NotFound(`there is no replica ${site.identifier} in ${region} to rehearse beside`);
      const command: CreateDBInstanceReadReplicaMessage = {
        DBInstanceIdentifier: restoredId,
        ...sourceIn(database, from, region),
        KmsKeyId: backupKeyAlias(operations),
        // RDS wants all replicas of one source that lie in one Region in one VPC; only the security group can keep others out.
        DBSubnetGroupName: beside.DBSubnetGroup?.DBSubnetGroupName,
        VpcSecurityGroupIds: [group],
        Port: database.port,
        PubliclyAccessible: false,
        MultiAZ: false,
        DeletionProtection: false,
        AutoMinorVersionUpgrade: false,
        ...(database.restoreInstanceClass ? { DBInstanceClass: database.restoreInstanceClass } : {}),
        Tags: ownTags(owner, database.id, expiresAt),
      };
      try {
        await rdsIn(region).send(new CreateDBInstanceReadReplicaCommand(command));
      } catch (error) {
        if (!isAlreadyExists(errorNameOf(error))) throw error;
      }
    },
    async promoteRehearsal(database, { region, restoredId }) {
      const instance = await describeInstance(region, restoredId);
      if (!instance) throw new NotFound(`there is no rehearsal ${restoredId} in ${region}`);
      if (ownedDatabase(tagsOf(instance.TagList), owner) !== database.id || !tagsOf(instance.TagList).has(tagKeys.expires)) {
        throw new NotOwned(`${restoredId} in ${region} is no rehearsal of ${owner}`, {
          hint: 'Only what Codeblue made to be thrown away is promoted.',
        });
      }
      if (!instance.ReadReplicaSourceDBInstanceIdentifier) return;
      await rdsIn(region).send(new PromoteReadReplicaCommand({ DBInstanceIdentifier: restoredId, BackupRetentionPeriod: 0 }));
    },
  };
}

/**
 * Whether what bears the source's name now came after the replica: a restored copy took the place of a damaged source, and the replica follows the damaged one,
 * whatever name the service goes on showing.
 */
async function isAstray({ InstanceCreateTime: made }: DBInstance, database: Database, from: Region): Promise<boolean> {
  const identifier = database.sites[from]?.identifier;
  const source = identifier === undefined ? undefined : await describeInstance(from, identifier);
  return made !== undefined && source?.InstanceCreateTime !== undefined && source.InstanceCreateTime > made;
}

/** A source in another Region is named by its ARN, one in the same by its identifier. */
function followsSite(instance: DBInstance, database: Database, from: Region, operations: AwsSettings['operations']): boolean {
  const identifier = database.sites[from]?.identifier;
  const source = instance.ReadReplicaSourceDBInstanceIdentifier;
  return identifier !== undefined && (source === identifier || source === databaseArn(operations, from, 'db', identifier));
}

/** What the new instance takes over from the one that stood there. */
const sameShape = (old: DBInstance) => ({
  DBInstanceClass: old.DBInstanceClass,
  DBSubnetGroupName: old.DBSubnetGroup?.DBSubnetGroupName,
  VpcSecurityGroupIds: groupsOf(old),
  DBParameterGroupName: old.DBParameterGroups?.[0]?.DBParameterGroupName,
  MultiAZ: old.MultiAZ ?? false,
  PubliclyAccessible: old.PubliclyAccessible ?? false,
  AutoMinorVersionUpgrade: old.AutoMinorVersionUpgrade ?? false,
  EnableIAMDatabaseAuthentication: old.IAMDatabaseAuthenticationEnabled ?? false,
  ...(old.EnabledCloudwatchLogsExports ? { EnableCloudwatchLogsExports: old.EnabledCloudwatchLogsExports } : {}),
});
