import {
  BackupClient,
  DescribeBackupVaultCommand,
  paginateListRecoveryPointsByBackupVault,
  type RecoveryPointByBackupVault,
  StartBackupJobCommand,
} from '@aws-sdk/client-backup';
import type { LockedCopy, Vault } from '../backup/ports.ts';
import { NotFound, ServiceUnavailable } from '../common/errors.ts';
import type { DatabaseId, Region } from '../common/ids.ts';
import { databaseArn, lockedVaultName, tagKeys, vaultRoleArn } from '../common/names.ts';
import { assertCanLead, databaseOf } from '../common/operations-lookup.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const backupIn = perRegion((region) => new BackupClient(clientOptions(region)));
const SECONDS_PER_DAY = 86_400;

/** AWS Backup: copies in a vault whose lock, once its grace is over, binds even the root user. */
export function vaultPort({ operations, clock }: AwsSettings): Vault {
  const vaultName = lockedVaultName(operations);

  const resourceArn = (databaseId: DatabaseId, region: Region): string => {
    const database = databaseOf(operations, databaseId);
    const site = database.sites[region];
    if (!site) throw new NotFound(`the config has no ${databaseId} in ${region}`);
    return databaseArn(operations, region, database.engine === 'aurora-postgres' ? 'cluster' : 'db', site.identifier);
  };

  /** Whether the vault's lock can no longer be removed. `Locked` alone is also true in its grace, and in governance mode. */
  async function lockIsFinal(region: Region): Promise<boolean> {
    const command = new DescribeBackupVaultCommand({ BackupVaultName: vaultName });
    const { Locked, LockDate } = await calling(`describe vault ${vaultName}`, () => backupIn(region).send(command));
    return Locked === true && LockDate !== undefined && LockDate <= clock.now();
  }

  return {
    async lock({ region, databaseId, recoveryPointId }) {
      assertCanLead(operations, region);
      const command = new StartBackupJobCommand({
        BackupVaultName: vaultName,
        ResourceArn: resourceArn(databaseId, region),
        IamRoleArn: vaultRoleArn(operations, region),
        IdempotencyToken: recoveryPointId,
        Lifecycle: { DeleteAfterDays: Math.ceil(operations.vaultLock.minRetention / SECONDS_PER_DAY) },
        RecoveryPointTags: { [tagKeys.owner]: operations.name, [tagKeys.database]: databaseId },
      });
      const { BackupJobId } = await calling(`lock a copy of ${databaseId}`, () => backupIn(region).send(command));
      if (!BackupJobId) throw new ServiceUnavailable('AWS Backup answered without the id of a job');
      return BackupJobId;
    },
    async list(region, databaseId) {
      const isFinal = await lockIsFinal(region);
      const query = { BackupVaultName: vaultName, ByResourceArn: resourceArn(databaseId, region) };
      const pages = paginateListRecoveryPointsByBackupVault({ client: backupIn(region) }, query)[Symbol.asyncIterator]();
      const copies: LockedCopy[] = [];
      for (;;) {
        const page = await calling(`list the copies in ${vaultName}`, () => pages.next());
        if (page.done) return copies;
        copies.push(...(page.value.RecoveryPoints ?? []).map((point) => asCopy(point, isFinal)));
      }
    },
  };
}

function asCopy(point: RecoveryPointByBackupVault, isFinal: boolean): LockedCopy {
  const deleteAt = point.CalculatedLifecycle?.DeleteAt;
  const creating = point.Status === 'CREATING';
  const available = point.Status === 'COMPLETED' || point.Status === 'AVAILABLE';
  return {
    copyId: point.RecoveryPointArn ?? '',
    createdAt: point.CreationDate ?? new Date(0),
    status: available ? 'available' : creating ? 'creating' : 'failed',
    ...(isFinal && deleteAt ? { lockedUntil: deleteAt } : {}),
  };
}
