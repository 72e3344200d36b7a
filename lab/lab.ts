import type { Clock } from '../functions/common/clock.ts';
import type { Region } from '../functions/common/ids.ts';
import { type Logger, silentLogger } from '../functions/common/logger.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { AnyTask } from '../functions/common/task.ts';
import { type Host, runStep, runTask } from '../functions/handlers/run-operation.ts';
import type { MachineName } from '../functions/maintenance/ports.ts';
import { memoryChannels } from '../functions/memory/channels.ts';
import { type MemoryExecutions, memoryExecutions } from '../functions/memory/executions.ts';
import { type RecordingMetrics, recordingMetrics } from '../functions/memory/metrics.ts';
import { memorySignalQueue } from '../functions/memory/signal-queue.ts';
import { stepNamed, taskNamed } from '../functions/tasks.ts';
import { VerificationRecord } from '../functions/verify/models.ts';
import type { SynthesizedMachine } from '../lib/synthesized.ts';
import { Background } from './background.ts';
import type { LabClock } from './clock.ts';
import { codeSha256 } from './code-hash.ts';
import { type LabDatabases, labDatabases } from './databases.ts';
import { leaderIn } from './failover/coordination.ts';
import { type LabNotice, type LabNotices, labNotices } from './failover/notices.ts';
import { runMachine } from './machine-runner.ts';
import { livingClock, livingPorts } from './network/life.ts';
import type { Network } from './network/network.ts';
import { type IncidentDoors, type LabStores, labPorts, labStores, type PortsWorld } from './ports.ts';
import type { Regions } from './regions.ts';
import { type LabVault, labVault } from './store/vault.ts';

/** Longest run of one operation in the lab; Lambda's own limit. */
const runLimitMilliseconds = 15 * 60_000;
/** Stands in for the waits of the deployed machines, which are made for RDS. */
const pauseMilliseconds = 100;
/** So often an escalation looks whether time has made something due: its real waits end by the clock, which the lab can set forward. */
const escalationPauseMilliseconds = 250;

/** Which execution, where. */
export interface ExecutionFacts {
  readonly machine: MachineName;
  readonly name: string;
  readonly region: Region;
}
type Metric = Parameters<RecordingMetrics['put']>[0];
/** Called as an execution enters a state for the first time; the loops of waiting say nothing new. */
export type WatchState = (state: string, execution: ExecutionFacts) => void;
/** The fault layer around the steps of machines: runs before a step, with the record it gets; what it throws the step throws. */
export type BeforeStep = (operation: string, record: unknown, region: Region) => Promise<void>;
/** Runs when a step has done its work, before the machine hears of it. */
export type AfterStep = (operation: string, execution: ExecutionFacts) => void;

export interface LabOptions {
  /** Where handlers of a region log to; nowhere when left out. */
  readonly logOf?: (region: Region) => Logger;
  readonly network?: Network | undefined;
  /** Pages go nowhere and signals stay in their queues when left out. */
  readonly doors?: IncidentDoors;
}

/** Of a lab without people. */
function closedDoors(clock: Clock): IncidentDoors {
  const queue = memorySignalQueue({ clock });
  return { channels: memoryChannels(clock), signalQueue: () => queue, acknowledgeAddress: () => undefined };
}

/** Who runs something besides the registry: on which clock, and until when it lives. */
export interface HostOptions {
  readonly clock?: Clock;
  readonly life?: AbortSignal;
}

/**
 * Codeblue itself, over local regions: the registry's operations and the synthesized machines, with ports that reach real
 * PostgreSQL servers and encrypted files. Nothing of what is deployed is replaced but the ports and the waits.
 */
export class Lab {
  readonly regions: Regions;
  readonly clock: LabClock;
  /** Present in the process that started a lab that can be broken. */
  readonly network: Network | undefined;
  /** Reached from nowhere in particular: past every fault. */
  readonly databases: LabDatabases;
  readonly vault: LabVault;
  readonly metrics: RecordingMetrics = recordingMetrics();
  readonly executions: MemoryExecutions;
  readonly notices: LabNotices;
  readonly stores: LabStores;
  watchState: WatchState = () => {};
  beforeStep: BeforeStep = async () => {};
  afterStep: AfterStep = () => {};
  onNotice: (notice: LabNotice) => void = () => {};
  onMetric: (region: Region, metric: Metric) => void = () => {};
  /** The same for one verification, just before its restored database is compared. */
  readonly beforeCompare = new Map<string, (record: VerificationRecord) => Promise<void>>();
  readonly #logOf: (region: Region) => Logger;
  #world: PortsWorld;
  readonly #ports = new Map<Region, Ports>();
  readonly #running = new Map<string, AbortController>();
  #machines: Promise<readonly SynthesizedMachine[]> | undefined;

  constructor(
    regions: Regions,
    operations: Operations,
    clock: LabClock,
    { logOf = () => silentLogger, network, doors = closedDoors(clock) }: LabOptions = {},
  ) {
    this.regions = regions;
    this.clock = clock;
    this.network = network;
    this.#logOf = logOf;
    const stores = labStores(regions.dir, clock);
    this.stores = stores;
    const background = new Background();
    const lockFor = operations.vaultLock.mode === 'compliance' ? operations.vaultLock.minRetention : undefined;
    regions.followLeader(() => leaderIn(stores.coordination));
    this.databases = labDatabases(regions, clock, background);
    this.vault = labVault(regions, clock, lockFor, background);
    this.executions = memoryExecutions(stores.state, (request) =>
      this.execute(request.region, request.machine, request.name, request.input),
    );
    this.notices = labNotices(stores.state, clock, (notice) => this.onNotice(notice));
    this.#world = {
      ...{ regions, operations, clock, stores, background, executions: this.executions, notices: this.notices, doors },
      metrics: (region) => ({
        put: async (metric) => {
          await this.metrics.put(metric);
          this.onMetric(region, metric);
        },
      }),
      invoke: (region, { task, ...event }) =>
        this.run(taskNamed(task), { ...event, scheduledAt: event.scheduledAt.toISOString() }, { region }),
    };
  }

  /** What it is deployed with. */
  get operations(): Operations {
    return this.#world.operations;
  }

  /** Deploys another config: what begins from now on has it, and what runs already ends with the one that it began with. */
  deploy(operations: Operations): void {
    this.#world = { ...this.#world, operations };
    this.#ports.clear();
    this.#machines = undefined;
  }

  /** Lets time pass for every decision; the servers' own clocks go on as they do. */
  advance(seconds: number): void {
    this.clock.advance(seconds);
  }

  /** Ports as an operation in that region sees them; the leading one when left out. */
  ports(region: Region = this.regions.primary): Ports {
    const ports = this.#ports.get(region) ?? labPorts(this.#world, region);
    this.#ports.set(region, ports);
    return ports;
  }

  host(region: Region = this.regions.primary, { clock = this.clock, life = this.network?.life(region) }: HostOptions = {}): Host {
    const ports = this.ports(region);
    const facts = { operations: this.operations, region, log: this.#logOf(region), codeSha256: codeSha256() };
    return life ? { ...facts, ports: livingPorts(ports, life), clock: livingClock(clock, life) } : { ...facts, ports, clock };
  }

  /** Runs one occurrence of a task as its schedule would. @throws whatever the task throws */
  async run(
    task: AnyTask,
    event: { readonly key?: string; readonly scheduledAt: string; readonly input?: unknown },
    { region, ...options }: HostOptions & { readonly region?: Region } = {},
  ): Promise<unknown> {
    const { result } = await runTask(task, event, this.host(region, options), this.#deadline());
    return result;
  }

  /** The machines as they would be deployed. Synthesizing takes a second in which nothing else runs; who runs no machine does not even load the CDK. */
  machines(): Promise<readonly SynthesizedMachine[]> {
    this.#machines ??= import('../lib/synthesized.ts').then(({ synthesizedMachines }) => synthesizedMachines(this.operations));
    return this.#machines;
  }

  /** Runs a synthesized machine to its end. @returns the record it ended with @throws the error of the state that failed it */
  async execute(region: Region, machine: MachineName, name: string, input: unknown): Promise<unknown> {
    const entered = new Set<string>();
    const crash = new AbortController();
    const life = this.network?.life(region);
    const ends = life ? AbortSignal.any([life, crash.signal]) : crash.signal;
    this.#running.set(`${machine}/${name}`, crash);
    try {
      const definition = (await this.machines()).find((each) => each.name === machine);
      if (!definition) throw new TypeError(`there is no machine ${machine}`);
      return await runMachine({
        machine: definition,
        input,
        pauseMilliseconds: machine === 'escalate-incident' ? escalationPauseMilliseconds : pauseMilliseconds,
        signal: ends,
        onState: (state) => {
          if (!entered.has(state)) this.watchState(state, { machine, name, region });
          entered.add(state);
        },
        invoke: async (operation, record) => {
          await this.beforeStep(operation, record, region);
          if (operation === 'compare-content') await this.beforeCompare.get(name)?.(VerificationRecord.parse(record));
          const next = await runStep(stepNamed(operation), record, this.host(region, { life: ends }), this.#deadline());
          this.afterStep(operation, { machine, name, region });
          return next;
        },
      });
    } finally {
      this.#running.delete(`${machine}/${name}`);
    }
  }

  /** Whether this process carries out any execution. */
  isExecuting(): boolean {
    return this.#running.size > 0;
  }

  /** Ends an execution in the middle, as a crash would: what it still waits for never comes. */
  crashExecution({ machine, name }: Pick<ExecutionFacts, 'machine' | 'name'>): void {
    this.#running.get(`${machine}/${name}`)?.abort(`execution ${name} crashed`);
  }

  /** Resolves when nothing that this process started runs any more. */
  async settled(): Promise<void> {
    await this.executions.settled();
    await this.#world.background.settled();
  }

  #deadline(): Date {
    return new Date(this.clock.now().getTime() + runLimitMilliseconds);
  }
}
