import {
  AddTagsToResourceCommand,
  type DBInstance,
  ModifyDBInstanceCommand,
  RebootDBInstanceCommand,
  RemoveTagsFromResourceCommand,
} from '@aws-sdk/client-rds';
import { InvalidInput, NotFound, NotOwned } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { tagKeys } from '../common/names.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import type { SwapRequest } from '../failover/ports.ts';
import { ownedDatabase, ownTags, rdsIn, tagsOf } from './rds-model.ts';
import { groupsOf, shapeChanges, wantsReboot } from './rds-shape.ts';
import { isModifiable, stateOf } from './rds-status.ts';
import { type Connect, describeInstance, type ReplicaKind, type ServiceState } from './replica-kind.ts';
import type { AwsSettings } from './settings.ts';

const SECONDS_PER_DAY = 86_400;

const asideName = (identifier: string, epoch: number): string => `${identifier}-damaged-${epoch}`;

/**
 * A restored instance in the place of a damaged one, by names: the way of "Renaming a DB instance" in the RDS user guide ("rename to replace an existing DB
 * instance"). What the guide says, and what follows from it here:
 *
 * - Renaming restarts the instance, takes minutes, and frees the old name when it is done; the endpoint goes with the name. Replicas of a renamed instance go on
 *   following it: those of the damaged one are made anew afterwards (failback).
 * - An instance moves to another VPC by `DBSubnetGroupName`, with groups of that VPC in the same call, and only while it is Single-AZ; a subnet group of the VPC
 *   where it already is RDS refuses.
 * - A changed parameter group holds after a restart, which is had before the exchange and not within it.
 * - A managed master password belongs to its instance: the copy keeps the one it was restored with, and the damaged instance its own.
 */
export function rdsSwaps(settings: AwsSettings, connect?: Connect): Pick<ReplicaKind, 'prepareSwap' | 'swapIn'> {
  const owner = settings.operations.name;

  function assertCopy(copy: DBInstance, { id }: Database, { region, restoredId }: SwapRequest): void {
    const tags = tagsOf(copy.TagList);
    const isCopy = tags.has(tagKeys.expires) || tags.get(tagKeys.standsIn) === restoredId;
    if (ownedDatabase(tags, owner) === id && isCopy && !copy.ReadReplicaSourceDBInstanceIdentifier) return;
    throw new NotOwned(`${restoredId} in ${region} is no copy of ${id} that ${owner} restored`, {
      hint: 'Only what Codeblue restored itself takes the place of a live database.',
    });
  }

  return {
    async prepareSwap(database, site, request) {
      const { region, restoredId } = request;
      const [live, copy] = await Promise.all([describeInstance(region, site.identifier), describeInstance(region, restoredId)]);
      if (!copy) throw new NotFound(`there is no restored copy ${restoredId} in ${region}`);
      assertCopy(copy, database, request);
      const state = stateOf(copy);
      const tags = tagsOf(copy.TagList);
      if (state.status === 'failed' || (tags.has(tagKeys.fitSince) && !tags.has(tagKeys.expires))) return state;
      if (!live) throw new NotFound(`there is no RDS instance ${site.identifier} in ${region} whose place could be taken`);
      assertReplaceable(live, site, region);
      const says = await prepareOneStep(live, copy, database, site, region);
      return { ...state, status: 'creating', says: `${state.says}; ${says}` };
    },
    async swapIn(database, site, request) {
      const { region, restoredId, epoch } = request;
      const aside = asideName(site.identifier, epoch);
      const [live, copy, damaged] = await Promise.all([site.identifier, restoredId, aside].map((id) => describeInstance(region, id)));
      if (live && tagsOf(live.TagList).get(tagKeys.standsIn) === restoredId) return stateOf(live);
      if (!copy) {
        if (damaged && !live) return onItsWay(`${restoredId} is between two names`);
        throw new NotFound(`there is no restored copy ${restoredId} in ${region}`);
      }
      assertCopy(copy, database, request);
      if (!tagsOf(copy.TagList).has(tagKeys.fitSince)) throw new InvalidInput(`${restoredId} in ${region} is not prepared`);
      if (stateOf(copy).status === 'failed') return { ...stateOf(copy), says: `${restoredId}: ${stateOf(copy).says}` };
      if (live && damaged) {
        if (live.DbiResourceId === damaged.DbiResourceId) return onItsWay(`${site.identifier} is being renamed to ${aside}`);
        throw new InvalidInput(`${site.identifier} and ${aside} both stand in ${region}, and neither is ${restoredId}`, {
          hint: 'Somebody made one of them in the meantime. Codeblue renames neither: look which is the damaged one.',
        });
      }
      if (live)
        return await setAside(live, copy, region, {
          aside,
          tags: [...ownTags(owner, database.id), { Key: tagKeys.keptAside, Value: String(epoch) }],
        });
      return await takeName(copy, site, region);
    },
  };

  /** @returns what was begun, or is waited for */
  async function prepareOneStep(
    live: DBInstance,
    copy: DBInstance,
    database: Database,
    site: DatabaseSite,
    region: Region,
  ): Promise<string> {
    const restoredId = copy.DBInstanceIdentifier ?? '';
    const modify = (changes: object) =>
      rdsIn(region).send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: restoredId, ...changes, ApplyImmediately: true }));
    if (tagsOf(copy.TagList).get(tagKeys.standsIn) !== restoredId || tagsOf(copy.TagList).has(tagKeys.expires)) {
      await keep(copy, region);
      return 'it no longer expires';
    }
    if (!isModifiable(copy)) return 'it is waited for';
    if (copy.DBSubnetGroup?.VpcId !== live.DBSubnetGroup?.VpcId) {
      if (copy.PendingModifiedValues?.DBSubnetGroupName) return 'it moves into the live network';
      await modify({ DBSubnetGroupName: live.DBSubnetGroup?.DBSubnetGroupName, VpcSecurityGroupIds: groupsOf(live) });
      return 'it moves into the live network';
    }
    const keepLogDays = database.pointInTime.enabled ? Math.ceil(database.pointInTime.window / SECONDS_PER_DAY) : 1;
    const { changes, underWay } = shapeChanges(live, copy, keepLogDays);
    if (Object.keys(changes).length > 0) {
      await modify(changes);
      return `it takes on ${Object.keys(changes).join(', ')}`;
    }
    if (underWay.length > 0) return `it takes on ${underWay.join(', ')}`;
    if (wantsReboot(copy)) {
      await rdsIn(region).send(new RebootDBInstanceCommand({ DBInstanceIdentifier: restoredId }));
      return 'it restarts with its parameters';
    }
    // The driver is loaded by those who come this far.
    const { letConfigIn } = await import('./copy-credentials.ts');
    const waits = await letConfigIn({ copy, database, site, region }, connect);
    if (waits !== undefined) return waits;
    const Tags = [{ Key: tagKeys.fitSince, Value: settings.clock.now().toISOString() }];
    await rdsIn(region).send(new AddTagsToResourceCommand({ ResourceName: copy.DBInstanceArn, Tags }));
    return 'it is fit';
  }
}

/** With the first tag it no longer expires; without the second it would not under its new name either. */
async function keep(copy: DBInstance, region: Region): Promise<void> {
  const ResourceName = copy.DBInstanceArn;
  const Tags = [{ Key: tagKeys.standsIn, Value: copy.DBInstanceIdentifier }];
  await rdsIn(region).send(new AddTagsToResourceCommand({ ResourceName, Tags }));
  await rdsIn(region).send(new RemoveTagsFromResourceCommand({ ResourceName, TagKeys: [tagKeys.expires] }));
}

/** RDS takes 63 characters; six of them for an epoch last for ever. */
const longestIdentifier = 63 - asideName('', 999_999).length;

/** What would be refused in the middle of the exchange is refused before it. */
function assertReplaceable(live: DBInstance, site: DatabaseSite, region: Region): void {
  if (site.identifier.length > longestIdentifier) {
    throw new InvalidInput(`${site.identifier} is too long a name to be renamed to ${asideName(site.identifier, 1)}`, {
      hint: `Instances with names of at most ${longestIdentifier} characters can be exchanged.`,
    });
  }
  if (live.ReadReplicaSourceDBInstanceIdentifier) {
    throw new InvalidInput(`${site.identifier} in ${region} is a read replica: a copy takes the place of a primary only`);
  }
  if (live.MasterUserSecret?.SecretArn === site.secretArn) {
    throw new InvalidInput(`the config opens ${site.identifier} with its managed master password, which stays with the damaged instance`, {
      hint: 'Make a role of its own for Codeblue, and name its secret in the config: docs/operations.md, "The role in the database".',
    });
  }
  if (stateOf(live).status === 'failed' && live.DBInstanceStatus !== 'storage-full') {
    throw new InvalidInput(`${site.identifier} in ${region} is ${live.DBInstanceStatus}: RDS does not rename it`, {
      hint: 'Start it, or free its name by hand, and ask again.',
    });
  }
}

const onItsWay = (says: string): ServiceState => ({ role: 'primary', status: 'promoting', says });

/** First the copy is protected: once the live name is free nothing may remove what is to get it. Then the damaged instance is renamed. */
async function setAside(
  live: DBInstance,
  copy: DBInstance,
  region: Region,
  { aside, tags }: { readonly aside: string; readonly tags: { Key: string; Value: string }[] },
): Promise<ServiceState> {
  const rds = rdsIn(region);
  const { DBInstanceIdentifier: identifier, DBInstanceStatus: status } = live;
  if (!isModifiable(copy)) return onItsWay(`${copy.DBInstanceIdentifier} is ${copy.DBInstanceStatus}`);
  if (!copy.DeletionProtection) {
    const protection = { DeletionProtection: true, ApplyImmediately: true };
    await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: copy.DBInstanceIdentifier, ...protection }));
    return onItsWay(`${copy.DBInstanceIdentifier} is protected from deletion`);
  }
  const isAsked = status === 'renaming' || live.PendingModifiedValues?.DBInstanceIdentifier === aside;
  if (isAsked) return onItsWay(`${identifier} is being renamed to ${aside}`);
  if (!isModifiable(live) && stateOf(live).status !== 'failed') return onItsWay(`${identifier} is ${status}; it cannot be renamed yet`);
  await rds.send(new AddTagsToResourceCommand({ ResourceName: live.DBInstanceArn, Tags: tags }));
  const renamed = { NewDBInstanceIdentifier: aside, DeletionProtection: true, ApplyImmediately: true };
  await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: identifier, ...renamed }));
  return onItsWay(`${identifier} is being renamed to ${aside}`);
}

async function takeName(copy: DBInstance, { identifier }: DatabaseSite, region: Region): Promise<ServiceState> {
  const { DBInstanceIdentifier: restoredId, DBInstanceStatus: status } = copy;
  const isAsked = copy.PendingModifiedValues?.DBInstanceIdentifier === identifier;
  if (isModifiable(copy) && !isAsked) {
    const renamed = { NewDBInstanceIdentifier: identifier, DeletionProtection: true, ApplyImmediately: true };
    await rdsIn(region).send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: restoredId, ...renamed }));
  } else if (!isAsked && status !== 'renaming') return onItsWay(`${restoredId} is ${status}; it cannot be renamed yet`);
  return onItsWay(`${restoredId} is being renamed to ${identifier}`);
}
