import type { CheckpointSigner } from '../../functions/audit/ports.ts';
import { auditLogOrigin } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { MachineClock } from '../machine-clock.ts';
import { Network } from '../network.ts';
import { primary, simulatedOperations } from '../operations.ts';
import { Process } from '../process.ts';
import type { Random } from '../random.ts';
import { type Micros, VirtualTime } from '../virtual-time.ts';
import { AuditMonitor } from './audit-monitor.ts';
import { type Call, type SimulatedPorts, simulatedPorts } from './audit-ports.ts';
import type { Actor, AuditScenario, WitnessLuck } from './audit-scenario.ts';
import { SimulatedWitness, simulatedWitness, witnessesOf } from './audit-witness.ts';
import { publicKeyOf, signWith } from './log-keys.ts';
import { LogStore } from './log-store.ts';

export const region = primary;

/** What a sequencer with the config of that generation knows of it. */
export type LogOperations = Pick<Operations, 'name' | 'audit'>;

const { name, audit } = simulatedOperations({ mode: 'automatic', budgetSeconds: 60, databases: 1 });
export const operationsOf = (generation: number, witness?: WitnessLuck): LogOperations => ({
  name,
  audit: { ...audit, generation, ...(witness ? { witnesses: { use: [simulatedWitness], quorum: witness.quorum } } : {}) },
});

/** What a breakage changes: the ports of a process, given what it needs to do otherwise. */
export interface AuditFlaws {
  readonly ports?: (
    ports: SimulatedPorts,
    given: { readonly store: LogStore; readonly call: Call; readonly generation: number },
  ) => SimulatedPorts;
}

export type Trace = (at: Micros, who: string, what: string) => void;

/** One Region's log with everybody who works on it. */
export class AuditWorld {
  readonly time = new VirtualTime();
  readonly monitor: AuditMonitor;
  readonly scenario: AuditScenario;
  readonly random: Random;
  readonly store: LogStore;
  /** Processes that refused to go on with the log, and why. */
  readonly refusals: string[] = [];
  readonly #network: Network;
  readonly #witness: SimulatedWitness;
  readonly #flaws: AuditFlaws;
  readonly #trace: Trace | undefined;

  constructor(given: {
    readonly scenario: AuditScenario;
    readonly random: Random;
    readonly flaws: AuditFlaws;
    readonly trace: Trace | undefined;
  }) {
    this.scenario = given.scenario;
    this.random = given.random;
    this.#flaws = given.flaws;
    this.#trace = given.trace;
    this.monitor = new AuditMonitor(this.time, {
      originOf: (generation) => auditLogOrigin({ name }, region, generation),
      wantsCosignature: given.scenario.witness?.quorum === 1,
    });
    this.#witness = new SimulatedWitness(this.time, this.monitor);
    const lag = given.random.fork('index');
    this.store = new LogStore(this.time, this.monitor, () => lag.int(0, given.scenario.indexLag));
    this.#network = new Network(this.time, given.random.fork('network'), given.scenario.weather);
  }

  trace(who: string, what: string): void {
    this.#trace?.(this.time.now, who, what);
  }

  process({ name: called, clock, interruption }: Pick<Actor, 'name' | 'clock' | 'interruption'>): Process {
    const process = new Process({ name: called, region, machineClock: new MachineClock(clock), time: this.time, interruption });
    process.whenDead(() => this.trace(called, 'dies'));
    return process;
  }

  /** @param generation of the config that the process has */
  portsOf(process: Process, generation = 1): SimulatedPorts {
    const { repeated } = this.scenario;
    const random = this.random.fork(`repetitions of ${process.name}`);
    const call: Call = (called, effect) => {
      const twice = repeated > 0 && random.chance(repeated);
      const again = () => {
        effect();
        return effect();
      };
      return this.#network.call(process, { name: called, to: () => region, effect: twice ? again : effect });
    };
    const { witness: luck, quietFrom } = this.scenario;
    const witnesses = witnessesOf(this.#witness, {
      ...{ luck, process, call, random: this.random.fork(`witness of ${process.name}`) },
      isQuiet: () => this.time.now >= quietFrom,
    });
    const ports = simulatedPorts(this.store, call, { signer: this.#signer(call), witnesses });
    return this.#flaws.ports?.(ports, { store: this.store, call, generation }) ?? ports;
  }

  #signer(call: Call): CheckpointSigner {
    return {
      sign: (generation, bytes) =>
        call('signer.sign', () => {
          this.monitor.signs(generation, bytes);
          return signWith(generation, bytes);
        }),
      publicKey: (_, generation) => call('signer.public-key', () => publicKeyOf(generation)),
    };
  }
}
