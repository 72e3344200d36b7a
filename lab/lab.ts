import { join } from 'node:path';
import type { Region } from '../functions/common/ids.ts';
import type { Logger } from '../functions/common/logger.ts';
import { silentLogger } from '../functions/common/logger.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { AnyTask } from '../functions/common/task.ts';
import { type Host, runStep, runTask } from '../functions/handlers/run-operation.ts';
import type { MachineName } from '../functions/maintenance/ports.ts';
import { memoryAuditLog } from '../functions/memory/audit-log.ts';
import { type MemoryExecutions, memoryExecutions } from '../functions/memory/executions.ts';
import { memoryLedger } from '../functions/memory/ledger.ts';
import { type RecordingMetrics, recordingMetrics } from '../functions/memory/metrics.ts';
import { memoryRecoveryPoints } from '../functions/memory/recovery-points.ts';
import { memoryTaskInvoker } from '../functions/memory/task-invoker.ts';
import { stepNamed, taskNamed } from '../functions/tasks.ts';
import { VerificationRecord } from '../functions/verify/models.ts';
import { type SynthesizedMachine, synthesizedMachines } from '../lib/synthesized.ts';
import type { LabClock } from './clock.ts';
import { codeSha256 } from './code-hash.ts';
import { type LabDatabases, labDatabases } from './databases.ts';
import { runMachine } from './machine-runner.ts';
import type { Regions } from './regions.ts';
import { labSnapshotIntegrity } from './snapshots/integrity.ts';
import { labSqlServers } from './sql-servers.ts';
import { fileItemStore } from './store/file-store.ts';
import { labManifests } from './store/manifests.ts';
import { labProofs } from './store/proofs.ts';
import { labSigner } from './store/signer.ts';
import { labStateBackups } from './store/state-backups.ts';
import { type LabVault, labVault } from './store/vault.ts';

/** Longest run of one operation in the lab; Lambda's own limit. */
const runLimitMilliseconds = 15 * 60_000;
/** Stands in for the waits of the deployed machines, which are made for RDS. */
const pauseMilliseconds = 100;

/** Called as an execution enters a state for the first time; the loops of waiting say nothing new. */
export type WatchState = (state: string) => void;
/** The fault layer around the steps of machines: runs before a step, with the record it gets; what it throws the step throws. */
export type BeforeStep = (operation: string, record: unknown, region: Region) => Promise<void>;

/**
 * Codeblue itself, over local regions: the registry's operations and the synthesized machines, with ports that reach real
 * PostgreSQL servers and encrypted files. Nothing of what is deployed is replaced but the ports and the waits.
 */
export class Lab {
  readonly regions: Regions;
  readonly operations: Operations;
  readonly clock: LabClock;
  readonly databases: LabDatabases;
  readonly metrics: RecordingMetrics = recordingMetrics();
  readonly executions: MemoryExecutions;
  readonly vault: LabVault;
  watchState: WatchState = () => {};
  beforeStep: BeforeStep = async () => {};
  /** The same for one verification, just before its restored database is compared. */
  readonly beforeCompare = new Map<string, (record: VerificationRecord) => Promise<void>>();
  readonly #log: Logger;
  readonly #shared: Omit<Ports, 'signer'>;
  #machines: readonly SynthesizedMachine[] | undefined;

  constructor(regions: Regions, operations: Operations, clock: LabClock, log: Logger = silentLogger) {
    this.regions = regions;
    this.operations = operations;
    this.clock = clock;
    this.#log = log;
    const state = fileItemStore(join(regions.dir, 'state'), clock);
    const stateBackups = fileItemStore(join(regions.dir, 'state-backups'), clock);
    this.databases = labDatabases(regions, clock);
    this.executions = memoryExecutions(state, (request) => this.execute(request.region, request.machine, request.name, request.input));
    this.vault = labVault(regions, clock, operations.vaultLock.mode === 'compliance' ? operations.vaultLock.minRetention : undefined);
    this.#shared = {
      auditLog: memoryAuditLog(state),
      databases: this.databases,
      executions: this.executions,
      ledger: memoryLedger(state),
      manifests: labManifests(regions),
      metrics: this.metrics,
      proofs: labProofs(regions),
      recoveryPoints: memoryRecoveryPoints(state),
      snapshotIntegrity: labSnapshotIntegrity(regions),
      sqlServers: labSqlServers(regions),
      stateBackups: labStateBackups(state, stateBackups, ['recovery-points', 'audit-events'], clock),
      taskInvoker: memoryTaskInvoker(({ task, ...event }) =>
        this.run(taskNamed(task), { ...event, scheduledAt: event.scheduledAt.toISOString() }),
      ),
      vault: this.vault,
    };
  }

  /** Lets time pass for every decision; the servers' own clocks go on as they do. */
  advance(seconds: number): void {
    this.clock.advance(seconds);
  }

  /** Ports as an operation in that region sees them. */
  ports(region: Region = this.regions.primary): Ports {
    return { ...this.#shared, signer: labSigner(this.regions, region) };
  }

  host(region: Region = this.regions.primary, clock: LabClock = this.clock): Host {
    return { ports: this.ports(region), operations: this.operations, region, clock, log: this.#log, codeSha256: codeSha256() };
  }

  /** Runs one occurrence of a task as its schedule would. @throws whatever the task throws */
  async run(
    task: AnyTask,
    event: { readonly key?: string; readonly scheduledAt: string; readonly input?: unknown },
    clock = this.clock,
  ): Promise<unknown> {
    const { result } = await runTask(task, event, this.host(this.regions.primary, clock), this.#deadline());
    return result;
  }

  /** Runs a synthesized machine to its end. @returns the record it ended with @throws the error of the state that failed it */
  async execute(region: Region, machine: MachineName, name: string, input: unknown): Promise<unknown> {
    this.#machines ??= synthesizedMachines(this.operations);
    const definition = this.#machines.find((each) => each.name === machine);
    if (!definition) throw new TypeError(`there is no machine ${machine}`);
    const entered = new Set<string>();
    return runMachine({
      machine: definition,
      input,
      pauseMilliseconds,
      onState: (state) => {
        if (!entered.has(state)) this.watchState(state);
        entered.add(state);
      },
      invoke: async (operation, record) => {
        await this.beforeStep(operation, record, region);
        if (operation === 'compare-content') await this.beforeCompare.get(name)?.(VerificationRecord.parse(record));
        return runStep(stepNamed(operation), record, this.host(region), this.#deadline());
      },
    });
  }

  /** Resolves when nothing that this process started runs any more. */
  async settled(): Promise<void> {
    await this.executions.settled();
    await this.databases.settled();
    await this.vault.settled();
  }

  #deadline(): Date {
    return new Date(this.clock.now().getTime() + runLimitMilliseconds);
  }
}
