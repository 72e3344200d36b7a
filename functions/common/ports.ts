import type {
  AuditEvents,
  AuditHead,
  AuditLog,
  AuditObjects,
  AuditQueue,
  AuditWatchMemory,
  CheckpointSigner,
  Witnesses,
} from '../audit/ports.ts';
import type { Databases, Manifests, RecoveryPoints, SnapshotIntegrity, StateBackups, Vault } from '../backup/ports.ts';
import type {
  Capacity,
  Coordination,
  EvidenceLogs,
  Fences,
  NetworkFence,
  Notices,
  Probes,
  Replicas,
  Reports,
  RoutingControls,
} from '../failover/ports.ts';
import type { AlarmStates, Allowances, Channels, Incidents, LinkSigner, Outbox, SendRates, SignalQueue } from '../incidents/ports.ts';
import type { DatabaseStorage, RunbookRuns } from '../incidents/runbooks/ports.ts';
import type { Executions, Ledger, Metrics, TaskInvoker } from '../maintenance/ports.ts';
import type { Proofs, Signer, SqlServers } from '../verify/ports.ts';
import { InvalidInput } from './errors.ts';

/**
 * Everything outside that a task can use. The AWS adapters, the memory twins and the lab each provide the whole record;
 * a task gets the part that its `needs` name.
 */
export interface Ports {
  readonly allowances: Allowances;
  readonly alarmStates: AlarmStates;
  readonly auditEvents: AuditEvents;
  readonly auditHead: AuditHead;
  readonly auditLog: AuditLog;
  readonly auditObjects: AuditObjects;
  readonly auditQueue: AuditQueue;
  readonly auditWatchMemory: AuditWatchMemory;
  readonly capacity: Capacity;
  readonly channels: Channels;
  readonly checkpointSigner: CheckpointSigner;
  readonly coordination: Coordination;
  readonly databases: Databases;
  readonly databaseStorage: DatabaseStorage;
  readonly evidenceLogs: EvidenceLogs;
  readonly executions: Executions;
  readonly fences: Fences;
  readonly incidents: Incidents;
  readonly ledger: Ledger;
  readonly linkSigner: LinkSigner;
  readonly manifests: Manifests;
  readonly metrics: Metrics;
  readonly networkFence: NetworkFence;
  readonly notices: Notices;
  readonly outbox: Outbox;
  readonly probes: Probes;
  readonly proofs: Proofs;
  readonly recoveryPoints: RecoveryPoints;
  readonly replicas: Replicas;
  readonly reports: Reports;
  readonly routingControls: RoutingControls;
  readonly runbookRuns: RunbookRuns;
  readonly sendRates: SendRates;
  readonly signalQueue: SignalQueue;
  readonly signer: Signer;
  readonly snapshotIntegrity: SnapshotIntegrity;
  readonly sqlServers: SqlServers;
  readonly stateBackups: StateBackups;
  readonly taskInvoker: TaskInvoker;
  readonly vault: Vault;
  readonly witnesses: Witnesses;
}

/**
 * What a task may do, as `<port>:<permission>`, and the port that it is done through. The port is loaded and given to `run`;
 * the permission decides the IAM statements (lib/shared/permissions.ts).
 */
const portOfNeed = {
  'databases:describe': 'databases',
  'databases:snapshot': 'databases',
  'databases:copy-snapshot': 'databases',
  'databases:remove-snapshot': 'databases',
  'databases:restore': 'databases',
  'databases:remove-restored': 'databases',
  'snapshot-integrity:check': 'snapshotIntegrity',
  'recovery-points:read': 'recoveryPoints',
  'recovery-points:write': 'recoveryPoints',
  'manifests:read': 'manifests',
  'manifests:write': 'manifests',
  'sql-servers:live': 'sqlServers',
  'sql-servers:restored': 'sqlServers',
  'signer:sign': 'signer',
  'proofs:read': 'proofs',
  'proofs:write': 'proofs',
  /** Of the machine that proves backups of databases, in every Region that judges. */
  'executions:start': 'executions',
  /** Of the machine that proves backups of Codeblue's own tables, in this Region. */
  'executions:prove-tables': 'executions',
  /** Of the machines that move the lead, and rehearse it. */
  'executions:move': 'executions',
  /** Of the machine that chases people until somebody answers, in this Region. */
  'executions:escalate': 'executions',
  /** Of the replicated tables. */
  'state-backups:backup': 'stateBackups',
  /** Of the table of this Region's audit log. */
  'state-backups:backup-log': 'stateBackups',
  /** Of what is backed up in this Region. */
  'state-backups:restore': 'stateBackups',
  /** Of restored tables: finds and removes them. */
  'state-backups:sweep': 'stateBackups',
  'task-invoker:invoke': 'taskInvoker',
  'vault:lock': 'vault',
  // Failover. The coordination table is open by item: its key says who may write what.
  'coordination:read': 'coordination',
  'coordination:vote': 'coordination',
  'coordination:renew': 'coordination',
  'coordination:claim': 'coordination',
  /** Of `ask`: whether the lead may move. */
  'coordination:approve': 'coordination',
  /** Of `askForRunbook`. */
  'coordination:approve-runbook': 'coordination',
  'coordination:hold': 'coordination',
  'coordination:contain': 'coordination',
  'fences:observe': 'fences',
  'fences:renew': 'fences',
  'replicas:describe': 'replicas',
  'replicas:promote': 'replicas',
  'replicas:rebuild': 'replicas',
  'replicas:rehearse': 'replicas',
  /** Of `prepareSwap`: changes the restored copy alone. */
  'replicas:prepare-swap': 'replicas',
  /** Of `swapIn`. */
  'replicas:swap': 'replicas',
  'probes:http': 'probes',
  'capacity:scale': 'capacity',
  'routing-controls:switch': 'routingControls',
  'network-fence:isolate': 'networkFence',
  'evidence-logs:read': 'evidenceLogs',
  'notices:publish': 'notices',
  'reports:read': 'reports',
  'reports:write': 'reports',
  // Incidents. Both are lines of the state table.
  'incidents:read': 'incidents',
  /** Of what is: the lifecycle, the timeline, links that are spent. */
  'incidents:write': 'incidents',
  /** Of new ones, and what is known of signals and alarms. */
  'incidents:triage': 'incidents',
  'signal-queue:send': 'signalQueue',
  'allowances:take': 'allowances',
  // Automated runbooks, each for what the config's runbooks act on and for nothing else.
  'runbooks:start': 'executions',
  'runbooks:record': 'runbookRuns',
  'runbooks:restart': 'capacity',
  'runbooks:scale-out': 'capacity',
  'runbooks:enlarge-storage': 'databaseStorage',
  'alarm-states:read': 'alarmStates',
  'outbox:read': 'outbox',
  'outbox:write': 'outbox',
  'channels:send': 'channels',
  /** Of subscriptions, keys and numbers: changes nothing and sends nothing. */
  'channels:check': 'channels',
  'send-rates:reserve': 'sendRates',
  'link-signer:sign': 'linkSigner',
  'link-signer:verify': 'linkSigner',
  // The audit log. What records may not remove, and what removes may not record.
  'audit-events:record': 'auditEvents',
  'audit-events:read': 'auditEvents',
  /** Of bodies: the leaves stay. */
  'audit-events:erase': 'auditEvents',
  'audit-head:read': 'auditHead',
  'audit-head:write': 'auditHead',
  'audit-queue:read': 'auditQueue',
  'audit-queue:settle': 'auditQueue',
  'audit-objects:read': 'auditObjects',
  'audit-objects:append': 'auditObjects',
  /** Of partial tiles whose lock is over. */
  'audit-objects:sweep': 'auditObjects',
  'checkpoint-signer:sign': 'checkpointSigner',
  'checkpoint-signer:public-key': 'checkpointSigner',
  'audit-watch-memory:read': 'auditWatchMemory',
  'audit-watch-memory:write': 'auditWatchMemory',
  'witnesses:cosign': 'witnesses',
} as const satisfies Record<string, keyof Ports>;

export type Need = keyof typeof portOfNeed;

/** Every task may record audit events, write the ledger and put metrics. */
const always = ['auditLog', 'ledger', 'metrics'] as const satisfies readonly (keyof Ports)[];

/** The ports that a list of needs gives: `PortsFor<'recovery-points:read'>` has `recoveryPoints` and what every task has. */
export type PortsFor<N extends Need> = Pick<Ports, (typeof portOfNeed)[N] | (typeof always)[number]>;

/** Names of the ports that a list of needs gives, for a host that loads no more than those. */
export const portNames = (needs: readonly Need[]): readonly (keyof Ports)[] => [
  ...new Set([...always, ...needs.map((need) => portOfNeed[need])]),
];

/** The ports that a list of needs gives. @throws InvalidInput when the host did not load one of them */
export function portsFor<N extends Need>(needs: readonly N[], available: Partial<Ports>): PortsFor<N> {
  const names = portNames(needs);
  const missing = names.filter((name) => available[name] === undefined);
  if (missing.length > 0) throw new InvalidInput(`the host did not load: ${missing.join(', ')}`);
  // The one cast between run time and types: `names` are the keys of PortsFor<N> by construction, and none is missing.
  return Object.fromEntries(names.map((name) => [name, available[name]])) as unknown as PortsFor<N>;
}
