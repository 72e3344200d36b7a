import { type DBInstance, DescribeDBInstancesCommand, DescribeEventsCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { NotFound } from '../common/errors.ts';
import type { DatabaseId, Region } from '../common/ids.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import type { DatabaseStorage } from '../incidents/runbooks/ports.ts';
import { calling } from './errors.ts';
import { rdsIn } from './rds-model.ts';
import type { AwsSettings } from './settings.ts';

/** RDS takes no second change of the storage within six hours ("Modifying settings for Provisioned IOPS SSD storage", RDS User Guide). */
const restMinutes = 360;

/** RDS-EVENT-0018 and RDS-EVENT-0017 ("Amazon RDS event categories and event messages"); the API tells the text and no number. */
const storageWasChanged = /modification to allocated storage/i;

/** Storage of RDS instances. An Aurora cluster's grows by itself. */
export function databaseStoragePort({ operations }: Pick<AwsSettings, 'operations'>): DatabaseStorage {
  const identifierOf = (databaseId: DatabaseId, region: Region): string => {
    const identifier = databaseOf(operations, databaseId).sites[region]?.identifier;
    if (identifier === undefined) throw new NotFound(`the config has no ${databaseId} in ${region}`);
    return identifier;
  };
  return {
    async describe(databaseId, region) {
      const identifier = identifierOf(databaseId, region);
      if (databaseOf(operations, databaseId).engine === 'aurora-postgres') {
        return { isAllocated: false, gigabytes: 0, mostGigabytes: undefined, status: 'available', changedAt: undefined };
      }
      const [instance, changedAt] = await Promise.all([findInstance(region, identifier), lastChange(region, identifier)]);
      return {
        isAllocated: true,
        gigabytes: wantedGigabytes(instance),
        mostGigabytes: instance.MaxAllocatedStorage,
        status: instance.DBInstanceStatus ?? 'unknown',
        changedAt,
      };
    },
    async enlarge(databaseId, region, gigabytes) {
      const identifier = identifierOf(databaseId, region);
      if (wantedGigabytes(await findInstance(region, identifier)) >= gigabytes) return;
      const command = { DBInstanceIdentifier: identifier, AllocatedStorage: gigabytes, ApplyImmediately: true };
      await calling(`enlarge the storage of ${identifier} to ${gigabytes} GiB`, () =>
        rdsIn(region).send(new ModifyDBInstanceCommand(command)),
      );
    },
  };
}

/** What was asked for last, whether or not it is there yet. */
const wantedGigabytes = ({ AllocatedStorage = 0, PendingModifiedValues }: DBInstance): number =>
  PendingModifiedValues?.AllocatedStorage ?? AllocatedStorage;

async function findInstance(region: Region, identifier: string): Promise<DBInstance> {
  const { DBInstances = [] } = await calling(`describe instance ${identifier} in ${region}`, () =>
    rdsIn(region).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
  );
  const [found] = DBInstances;
  if (!found) throw new NotFound(`there is no RDS instance ${identifier} in ${region}`);
  return found;
}

/** Of the last six hours, whoever made it. */
async function lastChange(region: Region, identifier: string): Promise<Date | undefined> {
  const query = { SourceIdentifier: identifier, SourceType: 'db-instance', Duration: restMinutes, MaxRecords: 100 } as const;
  let latest: Date | undefined;
  let marker: string | undefined;
  do {
    const command = new DescribeEventsCommand({ ...query, ...(marker === undefined ? {} : { Marker: marker }) });
    const page = await calling(`list the events of ${identifier} in ${region}`, () => rdsIn(region).send(command));
    for (const { Message = '', Date: at } of page.Events ?? []) {
      if (at && storageWasChanged.test(Message) && (latest === undefined || at > latest)) latest = at;
    }
    marker = page.Marker;
  } while (marker !== undefined && marker !== '');
  return latest;
}
