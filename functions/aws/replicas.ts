import { NotFound } from '../common/errors.ts';
import type { DatabaseId, Region } from '../common/ids.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import type { Replicas } from '../failover/ports.ts';
import { auroraReplicas } from './aurora-replicas.ts';
import { calling } from './errors.ts';
import { rdsReplicas } from './rds-replicas.ts';
import type { Connect, ReplicaKind } from './replica-kind.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Read replicas of RDS and global clusters of Aurora behind one port.
 *
 * A rebuild on RDS has two acts, renaming what stands there and making the replica under its name. While the first runs `rebuild` throws
 * `ServiceUnavailable` and says so: it is asked again until it returns.
 *
 * @param connect how a restored copy is logged into before it may stand in; over PostgreSQL's protocol when left out
 */
export function replicasPort(settings: AwsSettings, connect?: Connect): Replicas {
  const kinds = { 'rds-postgres': rdsReplicas(settings, connect), 'aurora-postgres': auroraReplicas(settings) };

  function at(
    databaseId: DatabaseId,
    region: Region,
  ): { readonly kind: ReplicaKind; readonly database: Database; readonly site: DatabaseSite } {
    const database = databaseOf(settings.operations, databaseId);
    const site = database.sites[region];
    if (!site) throw new NotFound(`the config has no ${databaseId} in ${region}`);
    return { kind: kinds[database.engine], database, site };
  }

  return {
    async describe(databaseId, region) {
      const { kind, site } = at(databaseId, region);
      return { databaseId, region, ...(await calling(`describe ${databaseId} in ${region}`, () => kind.describe(site, region))) };
    },
    async promote({ databaseId, region, kind: how }) {
      const { kind, database, site } = at(databaseId, region);
      await calling(`promote ${databaseId} in ${region}`, () => kind.promote(database, site, region, how));
    },
    async rebuild({ databaseId, region, from, epoch }) {
      const { kind, database, site } = at(databaseId, region);
      await calling(`rebuild ${databaseId} in ${region}`, () => kind.rebuild(database, site, region, from, epoch));
    },
    async prepareSwap(request) {
      const { databaseId, region, restoredId } = request;
      const { kind, database, site } = at(databaseId, region);
      const state = await calling(`prepare ${restoredId} for the place of ${databaseId}`, () => kind.prepareSwap(database, site, request));
      return { databaseId, region, ...state };
    },
    async swapIn(request) {
      const { databaseId, region, restoredId } = request;
      const { kind, database, site } = at(databaseId, region);
      const state = await calling(`put ${restoredId} in the place of ${databaseId}`, () => kind.swapIn(database, site, request));
      return { databaseId, region, ...state };
    },
    async createRehearsal(request) {
      const { kind, database, site } = at(request.databaseId, request.region);
      await calling(`create rehearsal ${request.restoredId}`, () => kind.createRehearsal(database, site, request));
    },
    async promoteRehearsal(request) {
      const { kind, database } = at(request.databaseId, request.region);
      await calling(`promote rehearsal ${request.restoredId}`, () => kind.promoteRehearsal(database, request));
    },
  };
}
