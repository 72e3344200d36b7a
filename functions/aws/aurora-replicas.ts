import {
  type DBCluster,
  DescribeDBClustersCommand,
  FailoverGlobalClusterCommand,
  type GlobalCluster,
  paginateDescribeGlobalClusters,
  RestoreDBClusterToPointInTimeCommand,
  SwitchoverGlobalClusterCommand,
} from '@aws-sdk/client-rds';
import { InvalidInput, NotFound, NotOwned } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { databaseArn, environmentNames, tagKeys } from '../common/names.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import type { SwapRequest } from '../failover/ports.ts';
import { callingFor, errorNameOf } from './errors.ts';
import { isAlreadyExists, ownedDatabase, ownTags, rdsIn, tagsOf } from './rds-model.ts';
import type { ReplicaKind, ServiceState } from './replica-kind.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Aurora PostgreSQL: the two clusters are members of one global cluster, which any member's Region tells about. A cluster that leaves the lead
 * becomes a secondary by itself, after a failover as well, once its Region is back.
 */
export function auroraReplicas(settings: AwsSettings): ReplicaKind {
  const { operations } = settings;
  const owner = operations.name;
  const arnOf = (identifier: string, region: Region) => databaseArn(operations, region, 'cluster', identifier);

  async function membership(
    identifier: string,
    region: Region,
  ): Promise<{ readonly global: GlobalCluster; readonly leads: boolean } | undefined> {
    const arn = arnOf(identifier, region);
    for await (const page of paginateDescribeGlobalClusters({ client: rdsIn(region) }, {})) {
      for (const global of page.GlobalClusters ?? []) {
        const member = (global.GlobalClusterMembers ?? []).find((each) => each.DBClusterArn === arn);
        if (member) return { global, leads: member.IsWriter === true };
      }
    }
    return undefined;
  }

  return {
    async describe({ identifier }, region) {
      const cluster = await findCluster(region, identifier);
      if (!cluster) return { role: 'absent', status: 'available', says: `there is no cluster ${identifier}` };
      const member = await membership(identifier, region);
      const role = !member || member.leads ? 'primary' : 'replica';
      const moving = member?.global.FailoverState?.Status;
      const says = [cluster.Status ?? 'unknown', ...(moving ? [`global cluster ${moving}`] : [])].join(', ');
      return { role, status: moving ? 'promoting' : statusOf(cluster), says };
    },
    async promote(_database, { identifier }, region, kind) {
      const member = await membership(identifier, region);
      if (!member) throw new NotFound(`${identifier} in ${region} is in no global cluster`);
      const target = arnOf(identifier, region);
      if (member.leads || member.global.FailoverState?.ToDbClusterArn === target) return;
      const request = { GlobalClusterIdentifier: member.global.GlobalClusterIdentifier, TargetDbClusterIdentifier: target };
      if (kind === 'switchover') await rdsIn(region).send(new SwitchoverGlobalClusterCommand(request));
      else await rdsIn(region).send(new FailoverGlobalClusterCommand({ ...request, AllowDataLoss: true }));
    },
    async rebuild(_database, { identifier }, region) {
      if (!(await membership(identifier, region))) {
        throw new NotFound(`${identifier} in ${region} is in no global cluster`, {
          hint: 'Aurora takes a failed primary back by itself when its Region recovers; one that was removed is added by hand.',
        });
      }
    },
    prepareSwap: refuseSwap,
    swapIn: refuseSwap,
    async createRehearsal(database, site, { region, restoredId, expiresAt }) {
      const group = settings.isolatedSecurityGroupId;
      if (region !== settings.region || group === undefined) {
        throw new InvalidInput(`this process cannot rehearse in ${region}: it knows no isolated security group there`, {
          hint: `Rehearsals run in a function of that Region that has ${environmentNames.isolatedSecurityGroup}.`,
        });
      }
      // A clone of the secondary's volume, taken in minutes whatever its size; it is writable, so nothing is left to promote.
      const command = new RestoreDBClusterToPointInTimeCommand({
        DBClusterIdentifier: restoredId,
        SourceDBClusterIdentifier: site.identifier,
        RestoreType: 'copy-on-write',
        UseLatestRestorableTime: true,
        Port: database.port,
        DBSubnetGroupName: settings.isolatedSubnetGroup,
        VpcSecurityGroupIds: [group],
        DeletionProtection: false,
        Tags: ownTags(owner, database.id, expiresAt),
      });
      try {
        await rdsIn(region).send(command);
      } catch (error) {
        if (!isAlreadyExists(errorNameOf(error))) throw error;
      }
    },
    async promoteRehearsal(database, { region, restoredId }) {
      const clone = await findCluster(region, restoredId);
      if (!clone) throw new NotFound(`there is no rehearsal ${restoredId} in ${region}`);
      const tags = tagsOf(clone.TagList);
      if (ownedDatabase(tags, owner) === database.id && tags.has(tagKeys.expires)) return;
      throw new NotOwned(`${restoredId} in ${region} is no rehearsal of ${owner}`);
    },
  };
}

/**
 * A member of a global database has its place by membership, not by name: a restored cluster cannot join as the writer of one that has a writer, and RDS
 * renames no member ("Limitations of Amazon Aurora Global Database").
 */
async function refuseSwap({ id }: Database, { identifier }: DatabaseSite, { restoredId }: SwapRequest): Promise<never> {
  throw new InvalidInput(`${id} is the Aurora cluster ${identifier} of a global database: ${restoredId} cannot take its place`, {
    hint:
      `By hand: remove the secondary and then ${identifier} from the global database, rename ${identifier}, rename ${restoredId} to ${identifier}, ` +
      'and add a secondary in the standby Region again.',
  });
}

async function findCluster(region: Region, identifier: string): Promise<DBCluster | undefined> {
  const found = await callingFor(`describe cluster ${identifier} in ${region}`, () =>
    rdsIn(region).send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
  );
  return found?.DBClusters?.[0];
}

function statusOf({ Status: status = 'unknown' }: DBCluster): ServiceState['status'] {
  if (status === 'available' || status === 'backing-up') return 'available';
  if (status === 'creating') return 'creating';
  return /^(failed|stopp|deleting|inaccessible|incompatible)/.test(status) ? 'failed' : 'promoting';
}
