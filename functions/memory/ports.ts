import { actLog } from '../audit/events/act-log.ts';
import type { Clock } from '../common/clock.ts';
import type { Operations } from '../common/operations.ts';
import type { Ports } from '../common/ports.ts';
import { memoryAlarmStates } from './alarm-states.ts';
import { memoryAllowances } from './allowances.ts';
import { memoryCheckpointSigner } from './audit/checkpoint-signer.ts';
import { memoryAuditEvents } from './audit/events.ts';
import { memoryAuditHead } from './audit/head.ts';
import { memoryAuditObjects } from './audit/objects.ts';
import { memoryAuditQueue } from './audit/queue.ts';
import { memoryAuditWatchMemory } from './audit/watch-memory.ts';
import { memoryWitnesses } from './audit/witnesses.ts';
import { memoryCapacity } from './capacity.ts';
import { memoryChannels } from './channels.ts';
import { memoryCoordination } from './coordination.ts';
import { memoryDatabaseStorage } from './database-storage.ts';
import { memoryDatabases } from './databases.ts';
import { memoryEvidenceLogs } from './evidence-logs.ts';
import { memoryExecutions } from './executions.ts';
import { memoryFences } from './fences.ts';
import { memoryIncidents } from './incidents.ts';
import { type ItemStore, memoryItemStore } from './item-store.ts';
import { memoryLedger } from './ledger.ts';
import { memoryLinkSigner } from './link-signer.ts';
import { liveServers } from './live-servers.ts';
import { memoryManifests } from './manifests.ts';
import { recordingMetrics } from './metrics.ts';
import { memoryNetworkFence } from './network-fence.ts';
import { memoryNotices } from './notices.ts';
import { memoryOutbox } from './outbox.ts';
import { memoryProbes } from './probes.ts';
import { memoryProofs } from './proofs.ts';
import { memoryRecoveryPoints } from './recovery-points.ts';
import { memoryReplicas } from './replicas.ts';
import { memoryReports } from './reports.ts';
import { memoryRoutingControls } from './routing-controls.ts';
import { memoryRunbookRuns } from './runbook-runs.ts';
import { memorySendRates } from './send-rates.ts';
import { memorySignalQueue } from './signal-queue.ts';
import { memorySigner } from './signer.ts';
import { memorySnapshotIntegrity } from './snapshot-integrity.ts';
import { sqlServersFrom } from './sql-servers.ts';
import { memoryStateBackups } from './state-backups.ts';
import { memoryTaskInvoker } from './task-invoker.ts';
import { memoryVault } from './vault.ts';

export interface MemoryPortsSettings extends Partial<Ports> {
  readonly operations: Operations;
  readonly clock: Clock;
  /** Where the ports keep their items; a store of their own when left out. */
  readonly store?: ItemStore;
}

/** The twins as their own types, with the handles that tests use; a port that was given is that one. */
type Twins<S> = {
  readonly [P in keyof Ports]: S extends { readonly [K in P]: infer Given extends Ports[P] } ? Given : ReturnType<typeof twins>[P];
};

function twins({ operations, clock, store = memoryItemStore(clock) }: MemoryPortsSettings) {
  const servers = liveServers({ operations, clock, store });
  const databases = memoryDatabases({ operations, clock, store, servers });
  const auditEvents = memoryAuditEvents({ store, region: operations.regions.primary });
  return {
    allowances: memoryAllowances({ store, region: operations.regions.primary }),
    alarmStates: memoryAlarmStates({ clock, store }),
    auditEvents,
    auditHead: memoryAuditHead({ store, region: operations.regions.primary }),
    auditLog: actLog({ auditEvents, clock, region: operations.regions.primary }),
    auditObjects: memoryAuditObjects({ region: operations.regions.primary, clock, keptDays: operations.audit.retention.days }),
    auditQueue: memoryAuditQueue({ store, region: operations.regions.primary }),
    auditWatchMemory: memoryAuditWatchMemory(store),
    capacity: memoryCapacity({ operations, clock, store }),
    channels: memoryChannels(clock),
    checkpointSigner: memoryCheckpointSigner({ region: operations.regions.primary, secret: Buffer.from('memory') }),
    coordination: memoryCoordination(store),
    databases,
    databaseStorage: memoryDatabaseStorage({ operations, clock, store }),
    evidenceLogs: memoryEvidenceLogs({ operations, store }),
    executions: memoryExecutions(store),
    fences: memoryFences({ operations, clock, servers }),
    incidents: memoryIncidents({ store, region: operations.regions.primary }),
    ledger: memoryLedger(store),
    linkSigner: memoryLinkSigner({ address: `https://acknowledge.${operations.regions.primary}.example.org` }),
    manifests: memoryManifests(store),
    metrics: recordingMetrics(),
    networkFence: memoryNetworkFence(store),
    notices: memoryNotices(),
    outbox: memoryOutbox({ store, region: operations.regions.primary }),
    probes: memoryProbes(),
    proofs: memoryProofs(store),
    recoveryPoints: memoryRecoveryPoints(store),
    replicas: memoryReplicas({ operations, clock, store, servers }),
    reports: memoryReports(store),
    routingControls: memoryRoutingControls(),
    runbookRuns: memoryRunbookRuns({ store, region: operations.regions.primary }),
    sendRates: memorySendRates({ store, region: operations.regions.primary }),
    signalQueue: memorySignalQueue({ clock }),
    signer: memorySigner(),
    snapshotIntegrity: memorySnapshotIntegrity(databases),
    sqlServers: sqlServersFrom(),
    stateBackups: memoryStateBackups({ deployment: operations, region: operations.regions.primary, clock, store }),
    taskInvoker: memoryTaskInvoker(),
    vault: memoryVault({ operations, clock, store }),
    witnesses: memoryWitnesses(),
  };
}

/**
 * Every port in memory. Those given in `settings` take the place of the twin.
 *
 * @example
 * const clock = manualClock('2026-11-21T07:00:00Z');
 * const ports = memoryPorts({ operations: testOperations(), clock, sqlServers: sqlServersFrom({ live: () => server }) });
 * ports.databases.failNext('createSnapshot', new ServiceUnavailable('throttled'));
 */
export function memoryPorts<const S extends MemoryPortsSettings>(settings: S): Twins<S> {
  const { operations, clock, store: _, ...given } = settings;
  const { snapshotIntegrity, auditLog, ...made } = twins(settings);
  const { auditEvents, databases } = given;
  return {
    ...made,
    auditLog: auditEvents ? actLog({ auditEvents, clock, region: operations.regions.primary }) : auditLog,
    snapshotIntegrity: databases ? memorySnapshotIntegrity(databases) : snapshotIntegrity,
    ...given,
  } as Twins<S>; // a spread forgets which ports S gave
}
