import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import type { SnapshotIntegrity } from '../backup/ports.ts';
import type { Region } from '../common/ids.ts';
import { backupKeyAlias } from '../common/names.ts';
import type { Database } from '../common/operations.ts';
import { auroraClusters } from './aurora-clusters.ts';
import { callingFor } from './errors.ts';
import { kmsIn } from './kms.ts';
import { rdsInstances } from './rds-instances.ts';
import { ownedDatabase, type RdsSnapshot } from './rds-model.ts';
import type { AwsSettings } from './settings.ts';

/** What RDS itself can tell of a snapshot; the bytes are judged by restoring them. */
export function snapshotIntegrityPort(settings: AwsSettings): SnapshotIntegrity {
  const { operations } = settings;
  const kinds = { 'rds-postgres': rdsInstances(settings), 'aurora-postgres': auroraClusters(settings) };
  const enginesInUse = [...new Set(operations.databases.map((database) => database.engine))];
  return {
    async check(ref) {
      for (const engine of enginesInUse) {
        const found = await kinds[engine].findSnapshot(ref);
        if (!found) continue;
        const databaseId = ownedDatabase(found.tags, operations.name);
        const database = operations.databases.find(({ id }) => id === databaseId);
        if (!database) return [`snapshot ${ref.snapshotId} in ${ref.region} does not carry this deployment's tags`];
        const expectedKey = found.isCopy ? await backupKeyArn(ref.region) : database.sites[ref.region]?.storageKeyArn;
        return findingsOf(found, database, kinds[database.engine].engine, expectedKey);
      }
      return [`there is no snapshot ${ref.snapshotId} in ${ref.region}`];
    },
  };

  /** An alias that is gone must not pass for "no key expected". */
  async function backupKeyArn(region: Region): Promise<string> {
    const KeyId = backupKeyAlias(operations);
    const found = await callingFor(`describe ${KeyId} in ${region}`, () => kmsIn(region).send(new DescribeKeyCommand({ KeyId })));
    return found?.KeyMetadata?.Arn ?? `${KeyId} (which does not exist)`;
  }
}

function findingsOf(
  { snapshot, rdsStatus, engine }: RdsSnapshot,
  database: Database,
  expectedEngine: string,
  expectedKey: string | undefined,
): string[] {
  const findings: string[] = [];
  if (rdsStatus !== 'available') findings.push(`its status is ${rdsStatus}, not available`);
  if (!snapshot.encrypted) findings.push('it is not encrypted');
  else if (expectedKey !== undefined && snapshot.keyId !== expectedKey) {
    findings.push(`it is encrypted under ${snapshot.keyId || 'no named key'}, not under ${expectedKey}`);
  }
  if (engine !== expectedEngine) findings.push(`its engine is ${engine}, not ${expectedEngine}`);
  // Aurora storage grows by itself: RDS reports no allocated size for its snapshots.
  if (database.engine === 'rds-postgres' && snapshot.sizeBytes === 0) findings.push('its size is 0 bytes');
  return findings;
}
