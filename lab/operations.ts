import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseInput, defineOperations, type OperationsInput } from '../config/define-operations.ts';
import { seconds } from '../functions/common/duration.ts';
import { type Invariant, Operations } from '../functions/common/operations.ts';
import { maxConnections } from './postgres/config.ts';

export type Profile = Operations['profile'];

/** The one database of the lab. */
export const labDatabaseId = 'hospital';
export const labRegions = { primary: 'us-east-1', standby: 'us-west-2', tertiary: 'eu-west-1' } as const;
/** No AWS stands behind the lab: these say so where they are printed. */
const nowhere = {
  account: '000000000000',
  vpc: 'vpc-00000000000000000',
  subnet: 'subnet-00000000000000000',
  group: 'sg-00000000000000000',
};

/**
 * The lab's deployment: a profile as it ships, for one database in three local regions. Only the canary is faster, so that a
 * run of a minute measures something.
 */
export function labOperations(
  profile: Profile,
  invariants: readonly Invariant[],
  databaseNames?: readonly string[],
  change: Partial<DatabaseInput> = {},
  failover: OperationsInput['failover'] = { mode: 'off' },
  incidents: OperationsInput['incidents'] = { mode: 'off' },
): Operations {
  const site = (region: string) => ({
    identifier: `lab-${region}`,
    secretArn: `arn:aws:secretsmanager:${region}:${nowhere.account}:secret:lab`,
    limits: { maxConnections },
    network: { vpcId: nowhere.vpc, availabilityZones: [`${region}a`], subnetIds: [nowhere.subnet], securityGroupId: nowhere.group },
  });
  return defineOperations({
    name: 'lab',
    profile,
    account: nowhere.account,
    regions: labRegions,
    databases: [
      {
        id: labDatabaseId,
        engine: 'rds-postgres',
        sites: Object.fromEntries(Object.values(labRegions).map((region) => [region, site(region)])),
        copyTo: [labRegions.standby, labRegions.tertiary],
        replica: { region: labRegions.standby },
        invariants: [...invariants],
        ...change,
        ...(databaseNames ? { databaseNames: [...databaseNames] } : {}),
      },
    ],
    canary: { interval: seconds(1) },
    failover,
    incidents,
    contacts: {
      owner: { name: 'Lab', email: 'lab@example.org' },
      onCall: { name: 'Lab', email: 'lab@example.org' },
      compliance: { name: 'Lab', email: 'lab@example.org' },
    },
  });
}

const fileIn = (labDir: string): string => join(labDir, 'operations.json');

/** For processes that look into the lab: what it runs under, exactly. */
export const saveOperations = (labDir: string, operations: Operations): void =>
  writeFileSync(fileIn(labDir), JSON.stringify(operations), { mode: 0o600 });

/** @throws ZodError when another version wrote it */
export const loadOperations = (labDir: string): Operations => Operations.parse(JSON.parse(readFileSync(fileIn(labDir), 'utf8')));
