import { doesNotExpire, type RestoredDatabase, type Snapshot } from '../backup/models.ts';
import type { Databases, RestoredRef, RestoreRequest, SnapshotRef } from '../backup/ports.ts';
import { InvalidInput, NotFound, NotOwned, ServiceUnavailable } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { backupKeyAlias, environmentNames, tagKeys } from '../common/names.ts';
import type { Database } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { auroraClusters } from './aurora-clusters.ts';
import { calling, errorNameOf } from './errors.ts';
import { rdsInstances } from './rds-instances.ts';
import { type Isolation, isAlreadyExists, ownedDatabase, ownTags, type RdsKind, type RdsRestored, type RdsSnapshot } from './rds-model.ts';
import type { AwsSettings } from './settings.ts';

/**
 * RDS instances and Aurora clusters behind one port. This file holds what is the same for both: ownership by tag,
 * idempotence, isolation.
 *
 * While a restored Aurora cluster comes up, `describeRestored` adds its instance and its secret, which RDS accepts only once
 * the cluster is available: a role that waits for a restore needs the permissions of one that starts it.
 */
export function databasesPort(settings: AwsSettings): Databases {
  const { operations, isolatedSubnetGroup, isolatedSecurityGroupId } = settings;
  const owner = operations.name;
  const kinds = { 'rds-postgres': rdsInstances(settings), 'aurora-postgres': auroraClusters(settings) };
  /** Only the kinds that the config has: a deployment without Aurora asks nothing about clusters. */
  const kindsInUse = [...new Set(operations.databases.map((database) => database.engine))].map((engine) => kinds[engine]);

  async function findSnapshot(ref: SnapshotRef): Promise<{ readonly kind: RdsKind; readonly found: RdsSnapshot } | undefined> {
    for (const kind of kindsInUse) {
      const found = await kind.findSnapshot(ref);
      if (found) return { kind, found };
    }
    return undefined;
  }

  async function findRestored(ref: RestoredRef): Promise<{ readonly kind: RdsKind; readonly found: RdsRestored } | undefined> {
    for (const kind of kindsInUse) {
      const found = await kind.findRestored(ref);
      if (found) return { kind, found };
    }
    return undefined;
  }

  const ownedSnapshot = (found: RdsSnapshot): Snapshot | undefined => {
    const databaseId = ownedDatabase(found.tags, owner);
    return databaseId && { ...found.snapshot, databaseId };
  };
  const ownedRestored = (found: RdsRestored): RestoredDatabase | undefined => {
    const databaseId = ownedDatabase(found.tags, owner);
    if (!databaseId) return undefined;
    // Kept, to take a live database's place. Once it has that name it is no restored copy any more.
    if (found.tags.get(tagKeys.standsIn) === found.restored.restoredId) return { ...found.restored, databaseId, expiresAt: doesNotExpire };
    const expires = Date.parse(found.tags.get(tagKeys.expires) ?? '');
    return Number.isNaN(expires) ? undefined : { ...found.restored, databaseId, expiresAt: new Date(expires) };
  };

  async function requireSnapshot(ref: SnapshotRef): Promise<{ readonly kind: RdsKind; readonly snapshot: Snapshot }> {
    const held = await findSnapshot(ref);
    if (!held) throw new NotFound(`there is no snapshot ${ref.snapshotId} in ${ref.region}`);
    return { kind: held.kind, snapshot: ownedSnapshot(held.found) ?? refuse(ref.snapshotId, owner) };
  }

  async function created(ref: SnapshotRef, doing: string, create: () => Promise<void>): Promise<Snapshot> {
    await calling(doing, () => unlessThere(create));
    const { snapshot } = await requireSnapshot(ref);
    return snapshot;
  }

  async function restored(request: RestoreRequest, doing: string, start: () => Promise<void>): Promise<RestoredDatabase> {
    const before = await findRestored(request);
    if (!before) await calling(doing, () => unlessThere(start));
    const held = before ?? (await findRestored(request));
    if (!held) throw new ServiceUnavailable(`${request.restoredId} was asked for and is not shown yet in ${request.region}`);
    return ownedRestored(held.found) ?? refuse(request.restoredId, owner);
  }

  function isolationIn(region: Region): Isolation {
    if (region !== settings.region || isolatedSecurityGroupId === undefined) {
      throw new InvalidInput(`this process cannot restore in ${region}: it knows no isolated security group there`, {
        hint: `Restores run in a function of that Region that has ${environmentNames.isolatedSecurityGroup}.`,
      });
    }
    return { subnetGroup: isolatedSubnetGroup, securityGroupId: isolatedSecurityGroupId, keyAlias: backupKeyAlias(operations) };
  }

  return {
    async describe(databaseId, region) {
      const database = databaseOf(operations, databaseId);
      const live = await calling(`describe ${databaseId} in ${region}`, () =>
        kinds[database.engine].describeLive(siteOf(database, region).identifier, region),
      );
      return { databaseId, region, ...live };
    },
    async createSnapshot({ region, snapshotId, databaseId }) {
      const database = databaseOf(operations, databaseId);
      const { identifier } = siteOf(database, region);
      const create = () => kinds[database.engine].createSnapshot({ region, snapshotId }, identifier, ownTags(owner, databaseId));
      return created({ region, snapshotId }, `create snapshot ${snapshotId} of ${identifier}`, create);
    },
    async describeSnapshot(ref) {
      const held = await findSnapshot(ref);
      return held && ownedSnapshot(held.found);
    },
    async listSnapshots(region) {
      const lists = await Promise.all(kindsInUse.map((kind) => calling(`list snapshots in ${region}`, () => kind.listSnapshots(region))));
      return lists.flat().flatMap((found) => ownedSnapshot(found) ?? []);
    },
    async copySnapshot(from, to) {
      const { kind, snapshot } = await requireSnapshot(from);
      if (snapshot.status !== 'available') {
        throw new InvalidInput(`snapshot ${from.snapshotId} in ${from.region} is ${snapshot.status}, so it cannot be copied`);
      }
      const tags = [...ownTags(owner, snapshot.databaseId), { Key: tagKeys.copiedFrom, Value: from.region }];
      const copy = () => kind.copySnapshot(from, to, backupKeyAlias(operations), tags);
      return created(to, `copy snapshot ${from.snapshotId} from ${from.region} to ${to.region}`, copy);
    },
    async removeSnapshot(ref) {
      const held = await findSnapshot(ref);
      if (!held) return;
      if (!ownedSnapshot(held.found)) refuse(ref.snapshotId, owner);
      await calling(`remove snapshot ${ref.snapshotId}`, () => unlessGone(() => held.kind.deleteSnapshot(ref)));
    },
    async restore(ref, request) {
      if (ref.region !== request.region) throw new InvalidInput(`snapshot ${ref.snapshotId} is in ${ref.region}, not in ${request.region}`);
      const { kind } = await requireSnapshot(ref);
      const database = databaseOf(operations, request.databaseId);
      const tags = ownTags(owner, request.databaseId, request.expiresAt);
      const isolation = isolationIn(request.region);
      const start = () => kind.restore(ref.snapshotId, request, database, isolation, tags);
      return restored(request, `restore ${ref.snapshotId} as ${request.restoredId}`, start);
    },
    async restoreToTime(time, request) {
      const database = databaseOf(operations, request.databaseId);
      const { identifier } = siteOf(database, request.region);
      const tags = ownTags(owner, request.databaseId, request.expiresAt);
      const isolation = isolationIn(request.region);
      const start = () => kinds[database.engine].restoreToTime(time, identifier, request, database, isolation, tags);
      return restored(request, `restore ${identifier} at ${time.toISOString()} as ${request.restoredId}`, start);
    },
    async describeRestored(ref) {
      const held = await findRestored(ref);
      const shown = held && ownedRestored(held.found);
      // What one that is kept still lacks, whoever makes it fit knows.
      if (shown?.status !== 'creating' || shown.expiresAt === doesNotExpire) return shown;
      const database = databaseOf(operations, shown.databaseId);
      await calling(
        `finish the restore of ${ref.restoredId}`,
        () => held?.kind.finishRestore(ref, database, backupKeyAlias(operations)) ?? Promise.resolve(),
      );
      return shown;
    },
    async listRestored(region) {
      const lists = await Promise.all(kindsInUse.map((kind) => calling(`list databases in ${region}`, () => kind.listRestored(region))));
      return lists.flat().flatMap((found) => ownedRestored(found) ?? []);
    },
    async removeRestored(ref) {
      const held = await findRestored(ref);
      if (!held || held.found.restored.status === 'deleting') return;
      if (!ownedRestored(held.found)) refuse(ref.restoredId, owner);
      await calling(`remove ${ref.restoredId}`, () => unlessGone(() => held.kind.deleteRestored(ref)));
    },
  };
}

function siteOf(database: Database, region: Region): Database['sites'][Region] & object {
  const site = database.sites[region];
  if (!site) throw new NotFound(`the config has no ${database.id} in ${region}`);
  return site;
}

function refuse(id: string, owner: string): never {
  throw new NotOwned(`${id} does not carry the tag ${tagKeys.owner}=${owner}`, { hint: 'Codeblue touches only what it made itself.' });
}

/** A create whose identifier is taken made it earlier, or somebody else did: the tag tells, so the caller looks. */
async function unlessThere(create: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyExists(errorNameOf(error))) throw error;
  }
}

async function unlessGone(remove: () => Promise<void>): Promise<void> {
  try {
    await calling('remove', remove);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
  }
}
