import { InvalidInput } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import type { ExecutionRef } from '../functions/maintenance/ports.ts';
import type { Definition } from './machine/definition.ts';
import { type Ending, type ExecutionHost, execute } from './machine/interpreter.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import { toMicros, type VirtualTime } from './virtual-time.ts';

export interface Execution {
  readonly name: string;
  readonly region: Region;
  readonly input: unknown;
  status: 'running' | 'succeeded' | 'failed';
  ending: Ending | { readonly status: 'aborted' } | undefined;
  state: string;
}

export interface ExecutionsSettings {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly random: Random;
  readonly definition: Definition;
  /** Runs a step in a function of its own. */
  readonly invoke: (operation: string, record: unknown, execution: Execution) => Promise<unknown>;
  readonly trace: (who: string, what: string) => void;
}

/** Step Functions in each Region: durable, at rest while the Region is lost. */
export class SimulatedExecutions {
  readonly all = new Map<string, Execution>();
  readonly #settings: ExecutionsSettings;

  constructor(settings: ExecutionsSettings) {
    this.#settings = settings;
  }

  get running(): readonly Execution[] {
    return [...this.all.values()].filter(({ status }) => status === 'running');
  }

  /** Of those that run, what goes on: one in a Region that is lost rests until that is back. */
  get goingOn(): readonly Execution[] {
    return this.running.filter(({ region }) => this.#settings.network.isUp(region));
  }

  /** A name that was used is no error: the first one counts. */
  start({ region, machine, name }: ExecutionRef, input: unknown): void {
    if (machine !== 'failover') throw new InvalidInput(`the machine ${machine} is not simulated`);
    const key = `${region}/${name}`;
    if (this.all.has(key)) return;
    const execution: Execution = {
      name,
      region,
      input: JSON.parse(JSON.stringify(input)),
      status: 'running',
      ending: undefined,
      state: '',
    };
    this.all.set(key, execution);
    this.#settings.trace(region, `execution ${name} begins`);
    void this.#run(execution);
  }

  describe({ region, name }: ExecutionRef): { readonly status: Execution['status'] } | undefined {
    const found = this.all.get(`${region}/${name}`);
    return found && { status: found.status };
  }

  /** Somebody stops it: the step that runs goes on by itself, and nobody hears of its result. */
  abort(execution: Execution): void {
    if (execution.status !== 'running') return;
    execution.status = 'failed';
    execution.ending = { status: 'aborted' };
    this.#settings.trace(execution.region, `execution ${execution.name} is stopped in "${execution.state}"`);
  }

  async #run(execution: Execution): Promise<void> {
    const { definition, random, trace } = this.#settings;
    const going = <T>(result: T): Promise<T> => (execution.status === 'running' ? Promise.resolve(result) : new Promise(() => {}));
    const host: ExecutionHost = {
      invoke: async (operation, record) => {
        await this.#pause(execution, random.between(0.02, 0.2));
        return this.#settings.invoke(operation, record, execution).then(going, async (error) => {
          await going(undefined);
          throw error;
        });
      },
      wait: (seconds) => this.#pause(execution, seconds),
      draw: () => random.next(),
      onState: (state) => {
        execution.state = state;
        trace(execution.region, `${execution.name}: ${state}`);
      },
    };
    const ending = await execute(definition, execution.input, host);
    execution.status = ending.status;
    execution.ending = ending;
    trace(execution.region, `execution ${execution.name} ${ending.status}: ${ending.state}`);
  }

  /** Resolves after so long, and when its Region is up; never when the execution was stopped. */
  #pause(execution: Execution, seconds: number): Promise<void> {
    const { time, network } = this.#settings;
    return new Promise((resolve) => {
      const look = () => {
        if (execution.status !== 'running') return;
        if (network.isUp(execution.region)) time.wake(resolve);
        else time.after(toMicros(1), look);
      };
      time.after(toMicros(seconds), look);
    });
  }
}
