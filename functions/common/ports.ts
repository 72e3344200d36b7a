import type { AuditLog } from '../audit/ports.ts';
import type { Databases, Manifests, RecoveryPoints, SnapshotIntegrity, StateBackups, Vault } from '../backup/ports.ts';
import type { Executions, Ledger, Metrics, TaskInvoker } from '../maintenance/ports.ts';
import type { Proofs, Signer, SqlServers } from '../verify/ports.ts';

/**
 * Everything outside that a task can use. The AWS adapters, the memory twins and the lab each provide the whole record;
 * a task gets the part that its `needs` name.
 */
export interface Ports {
  readonly auditLog: AuditLog;
  readonly databases: Databases;
  readonly executions: Executions;
  readonly ledger: Ledger;
  readonly manifests: Manifests;
  readonly metrics: Metrics;
  readonly proofs: Proofs;
  readonly recoveryPoints: RecoveryPoints;
  readonly signer: Signer;
  readonly snapshotIntegrity: SnapshotIntegrity;
  readonly sqlServers: SqlServers;
  readonly stateBackups: StateBackups;
  readonly taskInvoker: TaskInvoker;
  readonly vault: Vault;
}

/**
 * What a task may do, as `<port>:<permission>`. The port part decides which adapter is loaded and given to `run`; the
 * permission part decides the IAM statements (lib/shared/permissions.ts). Every task may record audit events, write the
 * ledger and put metrics.
 */
export const needs = [
  'databases:describe',
  'databases:snapshot',
  'databases:copy-snapshot',
  'databases:remove-snapshot',
  'databases:restore',
  'databases:remove-restored',
  'snapshot-integrity:check',
  'recovery-points:read',
  'recovery-points:write',
  'manifests:read',
  'manifests:write',
  'sql-servers:live',
  'sql-servers:restored',
  'signer:sign',
  'proofs:read',
  'proofs:write',
  'executions:start',
  'state-backups:backup',
  'state-backups:restore',
  'task-invoker:invoke',
  'vault:lock',
] as const;
export type Need = (typeof needs)[number];

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : S;
type PortOf<N extends Need> = N extends `${infer Port}:${string}` ? CamelCase<Port> : never;

/** The ports that a list of needs gives. `PortsFor<'recovery-points:read'>` is `{recoveryPoints: RecoveryPoints}`. */
export type PortsFor<N extends Need> = Pick<Ports, Extract<PortOf<N>, keyof Ports> | 'auditLog' | 'ledger' | 'metrics'>;

/** `'recovery-points:read'` -> `'recoveryPoints'`, the same rule at run time. */
export function portNames(list: readonly Need[]): readonly (keyof Ports)[] {
  const named = list.map((need) => need.slice(0, need.indexOf(':')).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  return [...new Set(['auditLog', 'ledger', 'metrics', ...named])] as (keyof Ports)[];
}
