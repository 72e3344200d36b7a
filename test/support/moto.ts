import { CreateTableCommand, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { CreateSecurityGroupCommand, CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateDBClusterCommand, CreateDBInstanceCommand, CreateDBSubnetGroupCommand } from '@aws-sdk/client-rds';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { dynamoIn } from '../../functions/aws/dynamodb.ts';
import { kmsIn } from '../../functions/aws/kms.ts';
import { rdsIn } from '../../functions/aws/rds-model.ts';
import { type AwsSettings, settingsFromEnvironment } from '../../functions/aws/settings.ts';
import type { Clock } from '../../functions/common/clock.ts';
import type { Region } from '../../functions/common/ids.ts';
import {
  auditBucketName,
  auditLogTableIndexes,
  auditLogTableKeys,
  auditLogTableName,
  auditTableIndexes,
  auditTableKeys,
  auditTableName,
  backupKeyAlias,
  bucketName,
  isolatedSubnetGroupName,
  stateKeyAlias,
  stateTableKeys,
  stateTableName,
} from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { testOperations } from './operations.ts';

/** The account that moto answers for. */
const account = '123456789012';
export const motoOperations: Operations = testOperations({ account });
const regions = [motoOperations.regions.primary, motoOperations.regions.standby];

/** Empties the server that scripts/test-aws.mjs started. */
export async function resetMoto(): Promise<void> {
  const response = await fetch(new URL('/moto-api/reset', process.env.AWS_ENDPOINT_URL), { method: 'POST' });
  if (!response.ok) throw new Error(`moto could not be reset: HTTP ${response.status}`);
}

/** What a function of the primary Region would be given; `securityGroupId` where it restores. */
export function motoSettings(clock: Clock, securityGroupId = 'sg-00000000'): AwsSettings {
  const environment = { AWS_REGION: motoOperations.regions.primary, ISOLATED_SECURITY_GROUP_ID: securityGroupId };
  return settingsFromEnvironment(environment, { operations: motoOperations, clock });
}

const text = (name: string) => ({ AttributeName: name, AttributeType: 'S' as const });
const keys = (partition: string, sort?: string): CreateTableCommandInput['KeySchema'] => [
  { AttributeName: partition, KeyType: 'HASH' },
  ...(sort ? [{ AttributeName: sort, KeyType: 'RANGE' as const }] : []),
];

/** The tables as lib/ makes them. */
export async function createTables(): Promise<void> {
  const dynamo = dynamoIn(motoOperations.regions.primary);
  await dynamo.send(
    new CreateTableCommand({
      TableName: stateTableName(motoOperations),
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [text(stateTableKeys.partition), text(stateTableKeys.sort)],
      KeySchema: keys(stateTableKeys.partition, stateTableKeys.sort),
    }),
  );
  await createIndexedTable(auditTableName(motoOperations), auditTableKeys.partition, Object.values(auditTableIndexes));
  await createAuditLogTable(motoOperations);
}

/** The table of one Region's log. */
export const createAuditLogTable = (operations: Pick<Operations, 'name'>): Promise<void> =>
  createIndexedTable(auditLogTableName(operations), auditLogTableKeys.partition, Object.values(auditLogTableIndexes));

async function createIndexedTable(
  table: string,
  partition: string,
  indexes: readonly { readonly name: string; readonly partition: string; readonly sort: string }[],
): Promise<void> {
  const attributes = new Set([partition, ...indexes.flatMap((index) => [index.partition, index.sort])]);
  await dynamoIn(motoOperations.regions.primary).send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...attributes].map(text),
      KeySchema: keys(partition),
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keys(index.partition, index.sort),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      })),
    }),
  );
}

/** A key under each of the given aliases, in both Regions. @returns key ARNs by Region of the last alias */
export async function createKeys(aliases = [stateKeyAlias(motoOperations), backupKeyAlias(motoOperations)]): Promise<Map<Region, string>> {
  const arns = new Map<Region, string>();
  for (const region of regions) {
    for (const AliasName of aliases) {
      const { KeyMetadata } = await kmsIn(region).send(new CreateKeyCommand({}));
      await kmsIn(region).send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
      arns.set(region, KeyMetadata?.Arn ?? '');
    }
  }
  return arns;
}

export async function createBuckets(): Promise<void> {
  for (const region of regions) {
    // A client of us-east-1 makes a bucket without a location constraint, any other sends its own Region as the constraint.
    const s3 = new S3Client({ region });
    await s3.send(new CreateBucketCommand({ Bucket: bucketName(motoOperations, region) }));
    await s3.send(new CreateBucketCommand({ Bucket: auditBucketName(motoOperations, region), ObjectLockEnabledForBucket: true }));
  }
}

/** The isolated network of the primary Region. @returns its security group */
export async function createIsolatedNetwork(): Promise<string> {
  const region = motoOperations.regions.primary;
  const ec2 = new EC2Client({ region });
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.99.0.0/16' }));
  const SubnetIds: string[] = [];
  for (const [index, zone] of ['a', 'b'].entries()) {
    const where = { VpcId: Vpc?.VpcId, CidrBlock: `10.99.${index}.0/24`, AvailabilityZone: `${region}${zone}` };
    const { Subnet } = await ec2.send(new CreateSubnetCommand(where));
    if (Subnet?.SubnetId) SubnetIds.push(Subnet.SubnetId);
  }
  const group = { DBSubnetGroupName: isolatedSubnetGroupName(motoOperations), DBSubnetGroupDescription: 'isolated', SubnetIds };
  await rdsIn(region).send(new CreateDBSubnetGroupCommand(group));
  const isolated = { GroupName: 'isolated', Description: 'isolated', VpcId: Vpc?.VpcId };
  const { GroupId } = await ec2.send(new CreateSecurityGroupCommand(isolated));
  return GroupId ?? '';
}

/** The live databases of the primary Region: an instance for `hms`, a cluster with a writer for `billing`. */
export async function createLiveDatabases(): Promise<void> {
  const region = motoOperations.regions.primary;
  const { KeyMetadata } = await kmsIn(region).send(new CreateKeyCommand({ Description: 'storage' }));
  const login = { MasterUsername: 'postgres', MasterUserPassword: 'not-a-real-one', KmsKeyId: KeyMetadata?.Arn, StorageEncrypted: true };
  const [hms, billing] = motoOperations.databases.map((database) => database.sites[region]?.identifier);
  const shape = {
    AllocatedStorage: 100,
    DBInstanceClass: 'db.r6g.large',
    Engine: 'postgres',
    EngineVersion: '16.4',
    BackupRetentionPeriod: 7,
  };
  await rdsIn(region).send(new CreateDBInstanceCommand({ DBInstanceIdentifier: hms, ...shape, ...login }));
  const cluster = { Engine: 'aurora-postgresql', EngineVersion: '16.4', BackupRetentionPeriod: 7 };
  await rdsIn(region).send(new CreateDBClusterCommand({ DBClusterIdentifier: billing, ...cluster, ...login }));
  const writer = { DBInstanceIdentifier: `${billing}-writer`, DBClusterIdentifier: billing };
  await rdsIn(region).send(new CreateDBInstanceCommand({ ...writer, DBInstanceClass: 'db.r6g.large', Engine: 'aurora-postgresql' }));
}

const serialized = new Set<Region>();
let last: Promise<unknown> = Promise.resolve();

/**
 * Calls of the tables reach moto one after another from now on. Its transactions are not isolated: one that is cancelled puts the whole table back to how it found it
 * (`original_table_state` in moto/dynamodb/models), and takes along what others wrote meanwhile.
 */
export function oneCallAtATime(region: Region): void {
  if (serialized.has(region)) return;
  serialized.add(region);
  const inTurn = async <T>(call: () => Promise<T>): Promise<T> => {
    const turn = last.then(call, call);
    last = turn.catch(() => {});
    return await turn;
  };
  dynamoIn(region).middlewareStack.add((next) => (args) => inTurn(() => next(args)), {
    step: 'deserialize',
    priority: 'low',
    name: 'inTurn',
  });
}
