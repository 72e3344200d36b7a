import { DatabaseId, Region, timestamp } from '../../functions/common/ids.ts';
import { memoryAllowances } from '../../functions/memory/allowances.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryIncidents } from '../../functions/memory/incidents.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryOutbox } from '../../functions/memory/outbox.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { memoryRunbookRuns } from '../../functions/memory/runbook-runs.ts';
import { memorySendRates } from '../../functions/memory/send-rates.ts';
import { memoryStateBackups } from '../../functions/memory/state-backups.ts';
import { allowancesContract } from '../contracts/allowances.contract.ts';
import { auditLogContract } from '../contracts/audit-log.contract.ts';
import { capacityContract, restartContract } from '../contracts/capacity.contract.ts';
import { coordinationContract } from '../contracts/coordination.contract.ts';
import { databasesContract } from '../contracts/databases.contract.ts';
import { evidenceLogsContract } from '../contracts/evidence-logs.contract.ts';
import { incidentsContract } from '../contracts/incidents.contract.ts';
import { ledgerContract } from '../contracts/ledger.contract.ts';
import { linkSignerContract } from '../contracts/link-signer.contract.ts';
import { manifestsContract } from '../contracts/manifests.contract.ts';
import { networkFenceContract } from '../contracts/network-fence.contract.ts';
import { outboxContract } from '../contracts/outbox.contract.ts';
import { proofsContract } from '../contracts/proofs.contract.ts';
import { recoveryPointsContract } from '../contracts/recovery-points.contract.ts';
import { replicasContract } from '../contracts/replicas.contract.ts';
import { reportsContract } from '../contracts/reports.contract.ts';
import { runbookRunsContract } from '../contracts/runbook-runs.contract.ts';
import { sendRatesContract } from '../contracts/send-rates.contract.ts';
import { signalQueueContract } from '../contracts/signal-queue.contract.ts';
import { signerContract } from '../contracts/signer.contract.ts';
import { stateBackupsContract } from '../contracts/state-backups.contract.ts';
import { testOperations } from '../support/operations.ts';

const fresh = () => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  return { clock, ...memoryPorts({ operations: testOperations(), clock }) };
};

/** The same over a store that another Region's ports can be put over too. */
const overStore = () => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  const store = memoryItemStore(clock);
  return { store, ...memoryPorts({ operations: testOperations(), clock, store }) };
};

recoveryPointsContract(async () => fresh().recoveryPoints);
ledgerContract(async () => fresh().ledger);
auditLogContract(async () => fresh().auditLog);
manifestsContract(async () => fresh().manifests);
proofsContract(async () => fresh().proofs);
signerContract(async () => fresh().signer);
coordinationContract(async () => fresh().coordination);
reportsContract(async () => fresh().reports);

incidentsContract(async () => {
  const { incidents, store } = overStore();
  return { incidents, in: (region) => memoryIncidents({ store, region }) };
});
allowancesContract(async () => {
  const { allowances, store } = overStore();
  return { allowances, in: (region) => memoryAllowances({ store, region }) };
});
signalQueueContract(async () => {
  const { signalQueue } = fresh();
  return { signalQueue, taken: async (queue) => signalQueue.receive(queue, 1000).map(({ body }) => body) };
});
linkSignerContract(async () => fresh().linkSigner);
sendRatesContract(async () => {
  const { sendRates, store } = overStore();
  return { sendRates, in: (region) => memorySendRates({ store, region }) };
});
outboxContract(async () => {
  const { outbox, store } = overStore();
  return { outbox, in: (region) => memoryOutbox({ store, region }) };
});

runbookRunsContract(async () => {
  const { store } = overStore();
  return { in: (region) => memoryRunbookRuns({ store, region }) };
});

const freshCapacity = async () => {
  const { capacity, clock } = fresh();
  return { capacity, settle: async () => clock.advance(3600) };
};
capacityContract('orders-api', freshCapacity);
restartContract('orders-api', freshCapacity);

evidenceLogsContract(async () => {
  const base = testOperations();
  const region = Region.parse('us-east-1');
  const missing = '/aws/cloudtrail/none';
  const operations = testOperations({ failover: { ...base.failover, evidence: { logGroups: { [region]: ['/hms/orders', missing] } } } });
  const { evidenceLogs } = memoryPorts({ operations, clock: manualClock('2026-11-21T07:00:00Z') });
  const events = [1, 2, 3, 4, 5].map((second) => ({
    ...{ id: `e${second}`, at: timestamp(new Date(Date.UTC(2026, 10, 21, 7, 0, second))), stream: 'task/1', message: `line ${second}` },
  }));
  evidenceLogs.add(region, '/hms/orders', ...events);
  evidenceLogs.add(region, '/aws/lambda/hms-codeblue-guard-lease', ...events.slice(0, 1));
  return { evidenceLogs, region, group: '/hms/orders', events, missing };
});

networkFenceContract(async () => {
  const { networkFence } = fresh();
  const isIsolated = () => networkFence.isIsolated(DatabaseId.parse('hms'), Region.parse('us-east-1'));
  return { networkFence, letIn: async () => (isIsolated() ? [] : ['servers', 'workers']), spared: [] };
});

replicasContract(async () => {
  const { replicas, databases, clock } = fresh();
  return {
    ...{ replicas, databases },
    settle: async () => clock.advance(3600),
    addForeignReplica: async (region, restoredId) =>
      databases.setRestored({ region, restoredId }, { databaseId: DatabaseId.parse('hms'), owner: 'somebody-else' }),
  };
});

stateBackupsContract(async () => {
  const operations = testOperations();
  const clock = manualClock('2026-11-21T07:00:00Z');
  const store = memoryItemStore(clock);
  const { recoveryPoints } = memoryPorts({ operations, clock, store });
  const stateBackups = memoryStateBackups({ deployment: operations, region: operations.regions.primary, clock, store, itemsAtATime: 2 });
  return {
    ...{ stateBackups, recoveryPoints, clock },
    damage: {
      removeItem: async (into) => stateBackups.alterRestored(into, (contents) => contents.slice(1)),
      changeItem: async (into) =>
        stateBackups.alterRestored(into, ([first, ...rest]) => (first ? [{ ...first, value: 'changed' }, ...rest] : [])),
    },
  };
});

for (const id of ['hms', 'billing']) {
  databasesContract(id, async () => {
    const { databases, clock } = fresh();
    const databaseId = DatabaseId.parse(id);
    return {
      databases,
      databaseId,
      settle: async () => clock.advance(3600),
      addForeignSnapshot: async (ref) => databases.setSnapshot(ref, { databaseId, owner: 'somebody-else' }),
      addForeignRestored: async (ref) => databases.setRestored(ref, { databaseId, owner: 'somebody-else' }),
    };
  });
}
