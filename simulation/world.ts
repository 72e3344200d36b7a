import type { DatabaseId, Region } from '../functions/common/ids.ts';
import { type Logger, silentLogger } from '../functions/common/logger.ts';
import type { Operations } from '../functions/common/operations.ts';
import { databaseOf } from '../functions/common/operations-lookup.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { AnyTask } from '../functions/common/task.ts';
import { runStep, runTask } from '../functions/handlers/run-operation.ts';
import { stepNamed } from '../functions/tasks.ts';
import { CoordinationTable } from './coordination-table.ts';
import { databasePorts } from './database-ports.ts';
import { DatabaseServer, type ServerSettings } from './database-server.ts';
import { Exchanges } from './exchanges.ts';
import { type Execution, SimulatedExecutions } from './executions.ts';
import { firstEntry, firstRecord, firstVotes } from './first-state.ts';
import type { Flaws } from './flaws.ts';
import type { Definition } from './machine/definition.ts';
import { StatesError } from './machine/interpreter.ts';
import { MachineClock, trueClock } from './machine-clock.ts';
import { Monitor } from './monitor.ts';
import { Network } from './network.ts';
import { primary, standby, witness } from './operations.ts';
import { Process } from './process.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { Surroundings } from './surroundings.ts';
import { judgeClaim } from './verdict.ts';
import { type Micros, microsPerSecond, toMicros, VirtualTime } from './virtual-time.ts';

export interface WorldSettings {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly operations: Operations;
  readonly definition: Definition;
  readonly flaws: Flaws;
  /** Receives one line per happening; left out for speed. */
  readonly trace?: ((at: Micros, who: string, what: string) => void) | undefined;
}

/** Everything that a run is made of: three Regions and a witness, their databases and handlers, under one virtual clock. */
export class World {
  readonly time = new VirtualTime();
  readonly network: Network;
  readonly monitor: Monitor;
  readonly table: CoordinationTable;
  readonly executions: SimulatedExecutions;
  readonly surroundings: Surroundings;
  readonly exchanges: Exchanges;
  readonly operations: Operations;
  readonly scenario: Scenario;
  readonly random: Random;
  /** Every server that was ever made. */
  readonly servers: DatabaseServer[] = [];
  readonly processes = new Set<Process>();
  readonly #named = new Map<string, DatabaseServer>();
  readonly #runs = new Map<string, number>();
  readonly #clocks = new Map<Region, MachineClock>();
  readonly #flaws: Flaws;
  readonly #trace: WorldSettings['trace'];
  readonly #faultRandom: Random;

  constructor({ scenario, random, operations, definition, flaws, trace }: WorldSettings) {
    this.scenario = scenario;
    this.random = random;
    this.operations = operations;
    this.#flaws = flaws;
    this.#trace = trace;
    this.#faultRandom = random.fork('deaths');
    for (const [region, error] of scenario.regionClocks) this.#clocks.set(region, new MachineClock(error));
    this.network = new Network(this.time, random.fork('network'), scenario.weather);
    this.monitor = new Monitor(this.time, () => this.servers, scenario.expects.saneClocks);
    this.executions = new SimulatedExecutions({
      time: this.time,
      network: this.network,
      random: random.fork('executions'),
      definition,
      invoke: (operation, record, execution) => this.#invoke(operation, record, execution),
      trace: (who, what) => this.trace(who, what),
    });
    this.surroundings = new Surroundings({
      ...{ time: this.time, network: this.network, random: random.fork('surroundings'), monitor: this.monitor, operations },
      executions: () => this.executions,
    });
    this.table = new CoordinationTable({
      ...{ time: this.time, network: this.network, random: random.fork('table') },
      places: { replicas: [primary, standby], witness },
      onRecord: (before, after, by) => {
        this.monitor.recordChanged(before, after, by);
        judgeClaim(this, after);
        if (before?.phase !== after.phase)
          this.trace(by.name, `record: ${after.phase} for ${after.holder}, epoch ${after.epoch}, v${after.version}`);
      },
      first: scenario.coldStart ? undefined : firstRecord(operations, this.clockOf(primary)),
    });
    this.exchanges = new Exchanges(this, random.fork('exchanges'));
    for (const { id } of operations.databases) this.#makeServers(id);
    if (!scenario.coldStart)
      for (const vote of firstVotes(operations, (region) => this.clockOf(region))) this.table.votes.set(vote.observer, vote);
  }

  trace(who: string, what: string): void {
    this.#trace?.(this.time.now, who, what);
  }

  get isTraced(): boolean {
    return this.#trace !== undefined;
  }

  clockOf(region: Region): MachineClock {
    return this.#clocks.get(region) ?? trueClock;
  }

  server(databaseId: DatabaseId, region: Region): DatabaseServer | undefined {
    return this.#named.get(`${databaseId}/${region}`);
  }

  /** Puts a server under the config's name; what stood there goes on under another. */
  place(server: DatabaseServer): void {
    this.unname(this.server(server.databaseId, server.region));
    if (!this.servers.includes(server)) this.servers.push(server);
    server.label = server.region;
    this.#named.set(`${server.databaseId}/${server.region}`, server);
  }

  /** The server goes on under another name, and the one that it had leads nowhere. */
  unname(server: DatabaseServer | undefined): void {
    if (!server) return;
    server.rename();
    server.label = `what stood in ${server.region}`;
    this.#named.delete(`${server.databaseId}/${server.region}`);
  }

  /** A server of what that one held then, which nobody reaches. */
  restore(live: DatabaseServer, at: Micros): DatabaseServer {
    const history = live.log.filter((entry, index) => index === 0 || entry.at <= at);
    const copy = new DatabaseServer(this.#serverSettings(live.databaseId, live.region), history);
    copy.isIsolated = true;
    copy.label = `a copy in ${live.region}`;
    this.servers.push(copy);
    return copy;
  }

  /** Makes a new replica; it answers from `readyAt` on. */
  addReplica(databaseId: DatabaseId, region: Region, source: DatabaseServer, readyAt: Micros): void {
    this.place(
      new DatabaseServer(this.#serverSettings(databaseId, region), [], {
        server: source,
        lag: this.scenario.replicationLag,
        readyAt,
      }),
    );
  }

  #serverSettings(databaseId: DatabaseId, region: Region): ServerSettings {
    const { scenario } = this;
    return {
      ...{ databaseId, region, time: this.time, network: this.network, commitTakes: scenario.commitTakes, flaws: this.#flaws.server ?? {} },
      clock: new MachineClock(scenario.databaseClocks.get(region) ?? { offset: 0, drift: 0 }),
      onOpened: (server) => this.monitor.opened(server),
      onCommit: (server, entry) => this.monitor.committed(server, entry),
    };
  }

  /** Starts a function in a Region, with what the scenario has in store for this run of it. */
  spawn(name: string, region: Region): Process {
    const full = `${name} ${region}`;
    const interruption = this.scenario.interruptions.find(
      ({ who, nth }) => full.startsWith(who) && nth === this.#count(who, full),
    )?.interruption;
    for (const { who } of this.scenario.interruptions) if (full.startsWith(who)) this.#runs.set(who, (this.#runs.get(who) ?? 0) + 1);
    const process = new Process({ name: full, region, machineClock: this.clockOf(region), time: this.time, interruption });
    this.processes.add(process);
    process.whenDead(() => {
      this.processes.delete(process);
      this.trace(full, 'dies');
    });
    return process;
  }

  /** Runs one occurrence of a scheduled task to its end or its limit. */
  async runTask(task: AnyTask, region: Region, scheduledAt: Date): Promise<void> {
    const process = this.spawn(task.name, region);
    const limit = this.time.after(toMicros(task.timeout), () => process.die());
    const event = { key: '', scheduledAt: scheduledAt.toISOString(), input: {} };
    try {
      await runTask(task, event, this.#host(process), this.#deadline(process, task.timeout));
    } catch (error) {
      this.trace(process.name, `fails: ${error instanceof Error ? error.message : error}`);
    }
    limit();
    this.processes.delete(process);
  }

  /** The ports as one process has them. */
  ports(process: Process): Partial<Ports> {
    const databases = databasePorts(process, {
      network: this.network,
      find: (databaseId, region) => this.server(databaseId, region),
      resolve: (databaseId, region) => this.exchanges.resolve(databaseId, region),
      exchanges: this.exchanges,
      databaseNames: (databaseId) => databaseOf(this.operations, databaseId).databaseNames ?? [databaseId],
      now: () => this.time.now,
      promote: (server) => this.#promote(server),
      onAct: (act, by, server) => this.trace(by.name, `${act} ${server.databaseId} in ${server.region}`),
      onAsk: (act, by) => this.monitor.acted(act, by),
    });
    const coordination = this.table.port(process);
    const isStep = process.name.startsWith('step ');
    const ports: Partial<Ports> = {
      ...this.surroundings.ports(process),
      ...databases,
      coordination: {
        ...coordination,
        replace: (record) => {
          if (isStep) this.monitor.acted(`replace by ${record.phase}`, process);
          return coordination.replace(record);
        },
      },
    };
    return this.#flaws.ports?.(ports, process, this) ?? ports;
  }

  #count(who: string, full: string): number {
    return full.startsWith(who) ? (this.#runs.get(who) ?? 0) + 1 : 0;
  }

  /** The config as that process has it. */
  operationsOf(process: Process): Operations {
    return this.#flaws.operations?.(this.operations, process) ?? this.operations;
  }

  #host(process: Process) {
    return {
      ports: this.ports(process),
      operations: this.operationsOf(process),
      region: process.region,
      clock: process.clock,
      log: this.#logOf(process),
      codeSha256: '0'.repeat(64),
    };
  }

  #logOf(process: Process): Logger {
    if (!this.isTraced) return silentLogger;
    const line = (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
      this.trace(process.name, `${message} ${JSON.stringify(facts)}`);
    return { info: line, warn: line, error: line };
  }

  #deadline(process: Process, seconds: number): Date {
    return new Date(process.clock.now().getTime() + seconds * 1000);
  }

  /** A step in a Lambda function: JSON in, JSON out; when the function dies Step Functions hears of it. */
  #invoke(operation: string, record: unknown, execution: Execution): Promise<unknown> {
    const step = stepNamed(operation);
    const process = this.spawn(`step ${operation}`, execution.region);
    return new Promise((resolve, reject) => {
      const limit = this.time.after(toMicros(step.timeout), () => process.die());
      process.whenDead(() => {
        limit();
        const name = this.#faultRandom.pick(['Lambda.Unknown', 'Lambda.ServiceException', 'States.Timeout']);
        const heard = name === 'States.Timeout' ? toMicros(step.timeout + 30) : toMicros(0.1);
        this.time.after(heard, () => this.time.wake(() => reject(new StatesError(name, 'the function died'))));
      });
      runStep(step, JSON.parse(JSON.stringify(record)), this.#host(process), this.#deadline(process, step.timeout))
        .then((result) => resolve(JSON.parse(JSON.stringify(result))))
        .catch((error: unknown) => {
          this.trace(process.name, `fails: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`);
          reject(error);
        })
        .finally(() => {
          limit();
          this.processes.delete(process);
        });
    });
  }

  #promote(server: DatabaseServer): void {
    const { source } = server;
    server.beginPromotion();
    const { record } = this.table;
    const led = record?.plan && this.server(server.databaseId, record.plan.from);
    if (source) this.monitor.promoted({ server, source, led }, record);
    const finish = () => {
      if (server.isUp) server.finishPromotion();
      else this.time.after(microsPerSecond, finish);
    };
    this.time.after(this.#faultRandom.int(toMicros(0.2), toMicros(10)), finish);
  }

  #makeServers(databaseId: DatabaseId): void {
    const settings = this.#serverSettings(databaseId, primary);
    const source = new DatabaseServer(settings, [firstEntry(this.operations, settings.clock, this.scenario.coldStart)]);
    this.place(source);
    this.addReplica(databaseId, standby, source, 0);
  }
}
