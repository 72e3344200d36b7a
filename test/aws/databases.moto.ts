import {
  CreateDBClusterCommand,
  CreateDBClusterSnapshotCommand,
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import { databasesPort } from '../../functions/aws/databases.ts';
import { ownTags, rdsIn } from '../../functions/aws/rds-model.ts';
import { DatabaseId } from '../../functions/common/ids.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { databasesContract } from '../contracts/databases.contract.ts';
import { createIsolatedNetwork, createKeys, createLiveDatabases, motoOperations, motoSettings, resetMoto } from '../support/moto.ts';

async function fresh() {
  await resetMoto();
  const [securityGroupId] = await Promise.all([createIsolatedNetwork(), createKeys(), createLiveDatabases()]);
  return databasesPort(motoSettings(manualClock('2026-11-21T07:00:00Z'), securityGroupId));
}

const foreign = (databaseId: DatabaseId) => ({ Tags: ownTags('somebody-else', databaseId, new Date('2026-11-21T12:00:00Z')) });
const login = { MasterUsername: 'postgres', MasterUserPassword: 'not-a-real-one' };
const liveIdentifier = (index: number) => motoOperations.databases[index]?.sites[motoOperations.regions.primary]?.identifier;
/** moto finishes everything at once. */
const settle = async () => {};

databasesContract('RDS instance', async () => {
  const databaseId = DatabaseId.parse('hms');
  return {
    databases: await fresh(),
    databaseId,
    settle,
    async addForeignSnapshot({ region, snapshotId }) {
      const command = { DBSnapshotIdentifier: snapshotId, DBInstanceIdentifier: liveIdentifier(0), ...foreign(databaseId) };
      await rdsIn(region).send(new CreateDBSnapshotCommand(command));
    },
    async addForeignRestored({ region, restoredId }) {
      const shape = { AllocatedStorage: 20, DBInstanceClass: 'db.t4g.micro', Engine: 'postgres' };
      const command = { DBInstanceIdentifier: restoredId, ...shape, ...login, ...foreign(databaseId) };
      await rdsIn(region).send(new CreateDBInstanceCommand(command));
    },
  };
});

databasesContract('Aurora cluster', async () => {
  const databaseId = DatabaseId.parse('billing');
  return {
    databases: await fresh(),
    databaseId,
    settle,
    async addForeignSnapshot({ region, snapshotId }) {
      const command = { DBClusterSnapshotIdentifier: snapshotId, DBClusterIdentifier: liveIdentifier(1), ...foreign(databaseId) };
      await rdsIn(region).send(new CreateDBClusterSnapshotCommand(command));
    },
    async addForeignRestored({ region, restoredId }) {
      const command = { DBClusterIdentifier: restoredId, Engine: 'aurora-postgresql', ...login, ...foreign(databaseId) };
      await rdsIn(region).send(new CreateDBClusterCommand(command));
    },
  };
});
