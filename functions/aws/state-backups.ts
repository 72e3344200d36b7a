import {
  type BackupSummary,
  CreateBackupCommand,
  DeleteBackupCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  ListBackupsCommand,
  paginateListTables,
  RestoreTableFromBackupCommand,
} from '@aws-sdk/client-dynamodb';
import type { StateBackups, TableBackup } from '../backup/ports.ts';
import { NotFound, NotOwned } from '../common/errors.ts';
import { auditLogTableName, auditTableKeys, restoredTablePrefix, stateKeyAlias } from '../common/names.ts';
import { eventKey, eventOf } from './audit/event-items.ts';
import { readItems } from './batch-items.ts';
import { documentsIn, dynamoIn } from './dynamodb.ts';
import { calling, callingFor, errorNameOf } from './errors.ts';
import type { AwsSettings } from './settings.ts';
import { compareTables } from './table-comparison.ts';

/** On-demand backups of the deployment's own tables. Restored tables are known as ours by their prefix. */
export function stateBackupsPort(
  { region, operations, clock, stateTable, auditTable }: AwsSettings,
  { itemsAtATime }: { readonly itemsAtATime?: number } = {},
): StateBackups {
  const dynamo = dynamoIn(region);
  const prefix = restoredTablePrefix(operations);

  function assertOurs(into: string): void {
    if (!into.startsWith(prefix)) throw new NotOwned(`${into} is not a restored table of ${operations.name}: those begin with ${prefix}`);
  }

  async function backupsOf(table: string): Promise<readonly BackupSummary[]> {
    const found: BackupSummary[] = [];
    let last: string | undefined;
    do {
      const query = { TableName: table, BackupType: 'USER' as const, ...(last ? { ExclusiveStartBackupArn: last } : {}) };
      const page = await calling(`list backups of ${table}`, () => dynamo.send(new ListBackupsCommand(query)));
      found.push(...(page.BackupSummaries ?? []));
      last = page.LastEvaluatedBackupArn;
    } while (last);
    return found.filter((backup) => backup.BackupStatus !== 'DELETED');
  }
  const named = async (table: string, name: string) => (await backupsOf(table)).filter((backup) => backup.BackupName === name);

  async function describeTable(into: string) {
    const found = await callingFor(`describe ${into}`, () => dynamo.send(new DescribeTableCommand({ TableName: into })));
    // A deletion that has begun cannot be stopped: such a table is as good as gone.
    return found?.Table?.TableStatus === 'DELETING' ? undefined : found?.Table;
  }

  return {
    replicatedTables: () => [stateTable, auditTable],
    logTable: () => auditLogTableName(operations),
    eventsTable: () => auditTable,
    async backup(table, name) {
      // DynamoDB gives one name to any number of backups: looking first is what makes a repeat find the first.
      const [existing] = await named(table, name);
      if (existing) return asBackup(table, existing);
      const command = new CreateBackupCommand({ TableName: table, BackupName: name });
      const { BackupDetails } = await calling(`back up ${table}`, () => dynamo.send(command));
      return asBackup(table, { ...BackupDetails });
    },
    async list(table) {
      return (await backupsOf(table)).map((backup) => asBackup(table, backup));
    },
    async remove(table, name) {
      for (const { BackupArn } of await named(table, name)) {
        await callingFor(`remove backup ${name} of ${table}`, () => dynamo.send(new DeleteBackupCommand({ BackupArn })));
      }
    },
    async restore(table, name, into) {
      assertOurs(into);
      const [backup] = await named(table, name);
      if (!backup) throw new NotFound(`there is no backup ${name} of ${table}`);
      const command = new RestoreTableFromBackupCommand({
        TargetTableName: into,
        BackupArn: backup.BackupArn,
        BillingModeOverride: 'PAY_PER_REQUEST',
        GlobalSecondaryIndexOverride: [], // only items are compared: building indexes would take most of the time
        SSESpecificationOverride: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: stateKeyAlias(operations) },
      });
      await calling(`restore ${name} of ${table} into ${into}`, async () => {
        try {
          await dynamo.send(command);
        } catch (error) {
          if (!/^Table(AlreadyExists|InUse)Exception$/.test(errorNameOf(error))) throw error;
        }
      });
    },
    async describeRestored(into) {
      const table = await describeTable(into);
      if (!table) return 'absent';
      return table.TableStatus === 'ACTIVE' ? 'available' : 'creating';
    },
    async listRestored() {
      const found: { into: string; createdAt: Date }[] = [];
      const pages = paginateListTables({ client: dynamo }, {})[Symbol.asyncIterator]();
      for (;;) {
        const page = await calling('list tables', () => pages.next());
        if (page.done) return found;
        for (const into of (page.value.TableNames ?? []).filter((name) => name.startsWith(prefix))) {
          const table = await describeTable(into);
          if (table) found.push({ into, createdAt: table.CreationDateTime ?? clock.now() });
        }
      }
    },
    async removeRestored(into) {
      assertOurs(into);
      if (await describeTable(into)) await callingFor(`remove ${into}`, () => dynamo.send(new DeleteTableCommand({ TableName: into })));
    },
    async restoredEvents(into, refs) {
      assertOurs(into);
      const keys = refs.map((ref) => ({ [auditTableKeys.partition]: eventKey(ref) }));
      return (await readItems({ documents: documentsIn(region), clock }, into, keys)).map(eventOf);
    },
    compare: (...stretch) => compareTables({ documents: documentsIn(region), clock, region, itemsAtATime }, ...stretch),
  };
}

const statuses = { AVAILABLE: 'available', CREATING: 'creating' } as const;

function asBackup(table: string, backup: BackupSummary): TableBackup {
  const status = backup.BackupStatus === 'AVAILABLE' || backup.BackupStatus === 'CREATING' ? statuses[backup.BackupStatus] : 'failed';
  return {
    table,
    name: backup.BackupName ?? '',
    status,
    createdAt: backup.BackupCreationDateTime ?? new Date(0),
    sizeBytes: backup.BackupSizeBytes ?? 0,
  };
}
