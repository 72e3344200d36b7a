import { join } from 'node:path';
import { actLog } from '../functions/audit/events/act-log.ts';
import { witnessesPort } from '../functions/aws/audit/witnesses.ts';
import type { Clock } from '../functions/common/clock.ts';
import { days } from '../functions/common/duration.ts';
import { ServiceUnavailable } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { AlarmStates, Channels, SignalQueue } from '../functions/incidents/ports.ts';
import type { Executions } from '../functions/maintenance/ports.ts';
import { memoryAlarmStates } from '../functions/memory/alarm-states.ts';
import { memoryAllowances } from '../functions/memory/allowances.ts';
import { memoryAuditEvents } from '../functions/memory/audit/events.ts';
import { memoryAuditHead } from '../functions/memory/audit/head.ts';
import { memoryAuditQueue } from '../functions/memory/audit/queue.ts';
import { memoryAuditWatchMemory } from '../functions/memory/audit/watch-memory.ts';
import { memoryCapacity } from '../functions/memory/capacity.ts';
import { memoryDatabaseStorage } from '../functions/memory/database-storage.ts';
import { memoryIncidents } from '../functions/memory/incidents.ts';
import type { ItemStore } from '../functions/memory/item-store.ts';
import { memoryLedger } from '../functions/memory/ledger.ts';
import { memoryLinkSigner } from '../functions/memory/link-signer.ts';
import { memoryOutbox } from '../functions/memory/outbox.ts';
import { memoryRecoveryPoints } from '../functions/memory/recovery-points.ts';
import { memoryRoutingControls } from '../functions/memory/routing-controls.ts';
import { memoryRunbookRuns } from '../functions/memory/runbook-runs.ts';
import { memorySendRates } from '../functions/memory/send-rates.ts';
import { type Invocation, memoryTaskInvoker } from '../functions/memory/task-invoker.ts';
import { labCheckpointSigner } from './audit/checkpoint-signer.ts';
import { labAuditObjects } from './audit/objects.ts';
import type { Background } from './background.ts';
import { labDatabases } from './databases.ts';
import { labCoordination } from './failover/coordination.ts';
import { labEvidenceLogs } from './failover/evidence-logs.ts';
import { labFences } from './failover/fences.ts';
import { labNetworkFence } from './failover/network-fence.ts';
import type { LabNotices } from './failover/notices.ts';
import { labProbes } from './failover/probes.ts';
import { labReplicas } from './failover/replicas.ts';
import { regionKey } from './region.ts';
import type { Regions } from './regions.ts';
import { labSnapshotIntegrity } from './snapshots/integrity.ts';
import { labSqlServers } from './sql-servers.ts';
import { fileItemStore } from './store/file-store.ts';
import { labManifests } from './store/manifests.ts';
import { labProofs } from './store/proofs.ts';
import { labReports } from './store/reports.ts';
import { labSigner } from './store/signer.ts';
import { labStateBackups } from './store/state-backups.ts';
import { labVault } from './store/vault.ts';

/** Where the lab keeps items: Codeblue's replicated tables, their backups, and the table of who leads. */
export interface LabStores {
  readonly state: ItemStore;
  readonly backups: ItemStore;
  readonly coordination: ItemStore;
}

export const labStores = (dir: string, clock: Clock): LabStores => ({
  state: fileItemStore(join(dir, 'state'), clock),
  backups: fileItemStore(join(dir, 'state-backups'), clock),
  coordination: fileItemStore(join(dir, 'coordination'), clock),
});

/** How signals come in, pages go out, and links come back. */
export interface IncidentDoors {
  readonly channels: Channels;
  /** Where something in the lab plays CloudWatch. */
  readonly alarmStates?: AlarmStates;
  signalQueue(region: Region): SignalQueue;
  /** Where a region's acknowledge links lead; undefined where there is none. */
  acknowledgeAddress(region: Region): string | undefined;
}

/** What the ports of all regions share. */
export interface PortsWorld {
  readonly regions: Regions;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly stores: LabStores;
  readonly background: Background;
  readonly executions: Executions;
  /** CloudWatch is regional: a data point belongs to whoever wrote it. */
  metrics(region: Region): Ports['metrics'];
  readonly notices: LabNotices;
  readonly doors: IncidentDoors;
  /** Runs a task in that region. */
  invoke(region: Region, invocation: Invocation): Promise<unknown>;
}

/** Newly started tasks and instances run after that long. */
const START_SECONDS = 1;

/** Every port as handlers of one region have it: what lies in other regions is reached through whatever lies in between. */
export function labPorts(world: PortsWorld, viewer: Region): Ports {
  const { operations, clock, stores, background, doors } = world;
  const regions = world.regions.seenFrom(viewer);
  const { failover, vaultLock } = operations;
  const sites = { primary: operations.regions.primary, standby: operations.regions.standby, witness: failover.witness };
  const address = doors.acknowledgeAddress(viewer);
  const auditEvents = memoryAuditEvents({ store: stores.state, region: viewer });
  return {
    allowances: memoryAllowances({ store: stores.state, region: viewer }),
    alarmStates: doors.alarmStates ?? memoryAlarmStates({ clock, store: stores.state }),
    auditEvents,
    auditHead: memoryAuditHead({ store: stores.state, region: viewer }),
    auditLog: actLog({ auditEvents, clock, region: viewer }),
    auditObjects: labAuditObjects(regions, viewer, clock, days(operations.audit.retention.days)),
    auditQueue: memoryAuditQueue({ store: stores.state, region: viewer }),
    auditWatchMemory: memoryAuditWatchMemory(stores.state),
    capacity: memoryCapacity({ operations, clock, store: stores.state, startSeconds: START_SECONDS }),
    channels: doors.channels,
    checkpointSigner: labCheckpointSigner(regions, viewer),
    coordination: labCoordination(stores.coordination, regions.faults, sites, viewer),
    databases: labDatabases(regions, clock, background),
    // A disk of this machine has no size of its own to enlarge: the figures of the service are kept beside it.
    databaseStorage: memoryDatabaseStorage({ operations, clock, store: stores.state }),
    evidenceLogs: labEvidenceLogs(regions, operations),
    executions: executionsSeenFrom(regions, viewer, world.executions),
    fences: labFences(regions, failover.observe.timeout),
    incidents: memoryIncidents({ store: stores.state, region: viewer }),
    ledger: memoryLedger(stores.state),
    linkSigner: memoryLinkSigner({ ...(address ? { address } : {}), key: regionKey({ name: viewer, paths: regions.paths(viewer) }).bytes }),
    manifests: labManifests(regions),
    metrics: world.metrics(viewer),
    networkFence: labNetworkFence(regions),
    notices: world.notices,
    outbox: memoryOutbox({ store: stores.state, region: viewer }),
    probes: labProbes(regions),
    proofs: labProofs(regions),
    recoveryPoints: memoryRecoveryPoints(stores.state),
    replicas: labReplicas(regions, clock, background),
    reports: labReports(regions),
    routingControls: memoryRoutingControls(),
    runbookRuns: memoryRunbookRuns({ store: stores.state, region: viewer }),
    sendRates: memorySendRates({ store: stores.state, region: viewer }),
    signalQueue: doors.signalQueue(viewer),
    signer: labSigner(regions, viewer),
    snapshotIntegrity: labSnapshotIntegrity(regions),
    sqlServers: labSqlServers(regions),
    stateBackups: labStateBackups(stores.state, stores.backups, viewer, clock),
    taskInvoker: memoryTaskInvoker((invocation) => world.invoke(viewer, invocation)),
    vault: labVault(regions, clock, vaultLock.mode === 'compliance' ? vaultLock.minRetention : undefined, background),
    witnesses: witnessesPort(),
  };
}

/** Step Functions of another region is an address there. */
function executionsSeenFrom(regions: Regions, viewer: Region, executions: Executions): Executions {
  const reach = (region: Region): void => {
    if (!regions.faults.reaches(viewer, region)) throw new ServiceUnavailable(`Step Functions in ${region} does not answer in ${viewer}`);
  };
  return {
    async start(request) {
      reach(request.region);
      await executions.start(request);
    },
    async describe(ref) {
      reach(ref.region);
      return executions.describe(ref);
    },
  };
}
