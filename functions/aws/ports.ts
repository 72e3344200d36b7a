import type { Ports } from '../common/ports.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Where each adapter lives. Literal imports, so that the bundler can split them: a function loads the clients of the ports
 * that it needs and no others.
 */
const adapters: { readonly [P in keyof Ports]: (settings: AwsSettings) => Promise<Ports[P]> } = {
  allowances: async (settings) => (await import('./allowances.ts')).allowancesPort(settings),
  alarmStates: async () => (await import('./alarm-states.ts')).alarmStatesPort(),
  auditEvents: async (settings) => (await import('./audit/events.ts')).auditEventsPort(settings),
  auditHead: async (settings) => (await import('./audit/head.ts')).auditHeadPort(settings),
  auditLog: async (settings) => (await import('./audit/act-log.ts')).auditLogPort(settings),
  auditObjects: async (settings) => (await import('./audit/objects.ts')).auditObjectsPort(settings),
  auditQueue: async (settings) => (await import('./audit/queue.ts')).auditQueuePort(settings),
  auditWatchMemory: async (settings) => (await import('./audit/watch-memory.ts')).auditWatchMemoryPort(settings),
  capacity: async (settings) => (await import('./capacity.ts')).capacityPort(settings),
  channels: async (settings) => (await import('./channels.ts')).channelsPort(settings),
  checkpointSigner: async (settings) => (await import('./audit/checkpoint-signer.ts')).checkpointSignerPort(settings),
  coordination: async (settings) => (await import('./coordination.ts')).coordinationPort(settings),
  databases: async (settings) => (await import('./databases.ts')).databasesPort(settings),
  databaseStorage: async (settings) => (await import('./database-storage.ts')).databaseStoragePort(settings),
  evidenceLogs: async (settings) => (await import('./evidence-logs.ts')).evidenceLogsPort(settings),
  executions: async (settings) => (await import('./executions.ts')).executionsPort(settings),
  fences: async (settings) => (await import('./fences.ts')).fencesPort(settings),
  incidents: async (settings) => (await import('./incidents.ts')).incidentsPort(settings),
  ledger: async (settings) => (await import('./ledger.ts')).ledgerPort(settings),
  linkSigner: async (settings) => (await import('./link-signer.ts')).linkSignerPort(settings),
  manifests: async (settings) => (await import('./manifests.ts')).manifestsPort(settings),
  metrics: async (settings) => (await import('./metrics.ts')).metricsPort(settings),
  networkFence: async (settings) => (await import('./network-fence.ts')).networkFencePort(settings),
  notices: async (settings) => (await import('./notices.ts')).noticesPort(settings),
  outbox: async (settings) => (await import('./outbox.ts')).outboxPort(settings),
  probes: async () => (await import('./probes.ts')).probesPort(),
  proofs: async (settings) => (await import('./proofs.ts')).proofsPort(settings),
  recoveryPoints: async (settings) => (await import('./recovery-points.ts')).recoveryPointsPort(settings),
  replicas: async (settings) => (await import('./replicas.ts')).replicasPort(settings),
  reports: async (settings) => (await import('./reports.ts')).reportsPort(settings),
  routingControls: async (settings) => (await import('./routing-controls.ts')).routingControlsPort(settings),
  runbookRuns: async (settings) => (await import('./runbook-runs.ts')).runbookRunsPort(settings),
  sendRates: async (settings) => (await import('./send-rates.ts')).sendRatesPort(settings),
  signalQueue: async (settings) => (await import('./signal-queue.ts')).signalQueuePort(settings),
  signer: async (settings) => (await import('./signer.ts')).signerPort(settings),
  snapshotIntegrity: async (settings) => (await import('./snapshot-integrity.ts')).snapshotIntegrityPort(settings),
  sqlServers: async (settings) => (await import('./sql-servers.ts')).sqlServersPort(settings),
  stateBackups: async (settings) => (await import('./state-backups.ts')).stateBackupsPort(settings),
  taskInvoker: async (settings) => (await import('./task-invoker.ts')).taskInvokerPort(settings),
  vault: async (settings) => (await import('./vault.ts')).vaultPort(settings),
  witnesses: async () => (await import('./audit/witnesses.ts')).witnessesPort(),
};

/** The named ports, loaded side by side. */
export async function loadPorts(names: readonly (keyof Ports)[], settings: AwsSettings): Promise<Partial<Ports>> {
  const loaded = await Promise.all(names.map(async (name) => [name, await adapters[name](settings)] as const));
  return Object.fromEntries(loaded);
}
