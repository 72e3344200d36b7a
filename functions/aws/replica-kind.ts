import { type DBInstance, DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import type { Region } from '../common/ids.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import type { PgAddress } from '../common/pg-server.ts';
import type { ReplicaState, Replicas } from '../failover/ports.ts';
import type { SqlServer } from '../verify/ports.ts';
import { callingFor } from './errors.ts';
import { rdsIn } from './rds-model.ts';

export type ServiceState = Pick<ReplicaState, 'role' | 'status' | 'says'>;

/** Instances and Aurora clusters replicate by different means; behind this they are alike. Each call goes to the Region it names alone. */
export interface ReplicaKind {
  describe(site: DatabaseSite, region: Region): Promise<ServiceState>;
  promote(database: Database, site: DatabaseSite, region: Region, kind: 'failover' | 'switchover'): Promise<void>;
  rebuild(database: Database, site: DatabaseSite, region: Region, from: Region, epoch: number): Promise<void>;
  createRehearsal(database: Database, site: DatabaseSite, request: Parameters<Replicas['createRehearsal']>[0]): Promise<void>;
  promoteRehearsal(database: Database, request: Parameters<Replicas['promoteRehearsal']>[0]): Promise<void>;
  prepareSwap(database: Database, site: DatabaseSite, request: Parameters<Replicas['prepareSwap']>[0]): Promise<ServiceState>;
  swapIn(database: Database, site: DatabaseSite, request: Parameters<Replicas['swapIn']>[0]): Promise<ServiceState>;
}

/** Opens a PostgreSQL server: a test's own, or the driver's. */
export type Connect = (address: PgAddress) => SqlServer;

export async function describeInstance(region: Region, identifier: string): Promise<DBInstance | undefined> {
  const found = await callingFor(`describe instance ${identifier} in ${region}`, () =>
    rdsIn(region).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
  );
  return found?.DBInstances?.[0];
}
