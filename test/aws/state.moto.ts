import { DeleteCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { auditLogPort } from '../../functions/aws/audit/act-log.ts';
import { documentsIn, dynamoIn } from '../../functions/aws/dynamodb.ts';
import { incidentsPort } from '../../functions/aws/incidents.ts';
import { ledgerPort } from '../../functions/aws/ledger.ts';
import { manifestsPort } from '../../functions/aws/manifests.ts';
import { outboxPort } from '../../functions/aws/outbox.ts';
import { proofsPort } from '../../functions/aws/proofs.ts';
import { recoveryPointsPort } from '../../functions/aws/recovery-points.ts';
import { runbookRunsPort } from '../../functions/aws/runbook-runs.ts';
import { sendRatesPort } from '../../functions/aws/send-rates.ts';
import type { AwsSettings } from '../../functions/aws/settings.ts';
import { stateBackupsPort } from '../../functions/aws/state-backups.ts';
import type { Region } from '../../functions/common/ids.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { auditLogContract } from '../contracts/audit-log.contract.ts';
import { incidentsContract } from '../contracts/incidents.contract.ts';
import { ledgerContract } from '../contracts/ledger.contract.ts';
import { manifestsContract } from '../contracts/manifests.contract.ts';
import { outboxContract } from '../contracts/outbox.contract.ts';
import { proofsContract } from '../contracts/proofs.contract.ts';
import { recoveryPointsContract } from '../contracts/recovery-points.contract.ts';
import { runbookRunsContract } from '../contracts/runbook-runs.contract.ts';
import { sendRatesContract } from '../contracts/send-rates.contract.ts';
import { stateBackupsContract } from '../contracts/state-backups.contract.ts';
import { home } from '../support/incidents.ts';
import { createBuckets, createKeys, createTables, motoSettings, oneCallAtATime, resetMoto } from '../support/moto.ts';

async function fresh(): Promise<AwsSettings> {
  await resetMoto();
  await Promise.all([createTables(), createKeys(), createBuckets()]);
  return motoSettings(manualClock('2026-11-21T07:00:00Z'));
}

recoveryPointsContract(async () => recoveryPointsPort(await fresh()));
ledgerContract(async () => ledgerPort(await fresh()));
auditLogContract(async () => auditLogPort(await fresh()));
manifestsContract(async () => manifestsPort(await fresh()));
proofsContract(async () => proofsPort(await fresh()));

/** moto replicates nothing: what is asked of the other Region's replica goes to the one table that there is. */
async function freshEverywhere(): Promise<(region: Region) => AwsSettings> {
  const settings = await fresh();
  for (const region of regionsOf(settings.operations)) {
    dynamoIn(region).config.region = async () => settings.region;
    oneCallAtATime(region);
  }
  return (region) => ({ ...settings, region });
}

incidentsContract(async () => {
  const settingsOf = await freshEverywhere();
  return { incidents: incidentsPort(settingsOf(home)), in: (region) => incidentsPort(settingsOf(region)) };
});
runbookRunsContract(async () => {
  const settingsOf = await freshEverywhere();
  return { in: (region) => runbookRunsPort(settingsOf(region)) };
});
sendRatesContract(async () => {
  const settingsOf = await freshEverywhere();
  return { sendRates: sendRatesPort(settingsOf(home)), in: (region) => sendRatesPort(settingsOf(region)) };
});
outboxContract(async () => {
  const settingsOf = await freshEverywhere();
  return { outbox: outboxPort(settingsOf(home)), in: (region) => outboxPort(settingsOf(region)) };
});

stateBackupsContract(async () => {
  const { region } = await fresh();
  const clock = manualClock('2026-11-21T07:00:00Z');
  const settings = motoSettings(clock);
  const documents = documentsIn(region);
  async function keyOf(into: string, position: number) {
    const { Items = [] } = await documents.send(new ScanCommand({ TableName: into }));
    return { pk: Items[position]?.pk, sk: Items[position]?.sk };
  }
  return {
    stateBackups: stateBackupsPort(settings, { itemsAtATime: 2 }),
    recoveryPoints: recoveryPointsPort(settings),
    clock,
    damage: {
      async removeItem(into) {
        await documents.send(new DeleteCommand({ TableName: into, Key: await keyOf(into, 0) }));
      },
      async changeItem(into) {
        const change = { UpdateExpression: 'SET body.manifestSha256 = :other', ExpressionAttributeValues: { ':other': 'b'.repeat(64) } };
        await documents.send(new UpdateCommand({ TableName: into, Key: await keyOf(into, 0), ...change }));
      },
    },
  };
});
