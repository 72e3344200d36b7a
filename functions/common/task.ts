import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { AnyConsumer } from './consumer.ts';
import type { Duration } from './duration.ts';
import { minutes } from './duration.ts';
import type { AnyEndpoint } from './endpoint.ts';
import type { Region } from './ids.ts';
import type { Logger } from './logger.ts';
import type { Operations } from './operations.ts';
import { parseAs } from './parse.ts';
import { type Need, type Ports, type PortsFor, portsFor } from './ports.ts';
import type { Schedule } from './schedule.ts';

/** What every task is given besides its ports. */
export interface TaskContext {
  readonly operations: Operations;
  /** The Region that this run happens in. */
  readonly region: Region;
  readonly clock: Clock;
  readonly log: Logger;
  /** The time that this run was due; the time of the request for one started by hand. Idempotency keys build on it. */
  readonly scheduledAt: Date;
  /** SHA-256 (hex) of the deployed bundle; goes into proofs, so that a verdict names the code that gave it. */
  readonly codeSha256: string;
  /** When the host will stop the run, so that long work can end in order before it. */
  readonly deadline: Date;
}

/** One schedule of a task with the input it sends; `key` tells several schedules of one task apart. */
export interface ScheduledRun {
  readonly key: string;
  readonly schedule: Schedule;
  readonly input: unknown;
}

/**
 * Where a task's schedules fire: in the active Region only, in each Region that can become active (primary and standby), or in every Region
 * of the deployment.
 */
export type RunsIn = 'active' | 'candidate' | 'every';

/** What the registry, the CDK app and the hosts need to know about something that runs. */
export interface Runnable {
  /** Kebab-case; names the function, its role, log group, alarm and CLI verb. */
  readonly name: string;
  /** One sentence: shown on dashboards, in `codeblue tasks` and in the function's description. */
  readonly summary: string;
  readonly needs: readonly Need[];
  /** Longest run; Lambda allows 15 min. */
  readonly timeout: Duration;
  readonly memoryMegabytes: number;
  /**
   * `production` reaches the live database, and runs only where one lives; `production-if-any` reaches it where it can, and runs in the other
   * Regions without; `isolated` reaches only restored copies, `none` only AWS APIs.
   */
  readonly network: 'none' | 'production' | 'production-if-any' | 'isolated';
  /**
   * Parses `input`, takes the ports that `needs` name out of `available`, and runs.
   * @throws InvalidInput for an input of the wrong shape or a port that was not loaded; whatever the run throws
   */
  execute(input: unknown, available: Partial<Ports>, context: TaskContext): Promise<unknown>;
}

/** A scheduled task. From it come: function, role, schedules, dead-letter queue, alarm, dashboard row, ledger entry, CLI verb. */
export interface AnyTask extends Runnable {
  readonly kind: 'task';
  readonly runsIn: RunsIn;
  /** Missed occurrences of the last day are run late by `run-missed-tasks`; off for tasks that repeat within minutes anyway. */
  readonly catchUp: boolean;
  schedules(operations: Operations): readonly ScheduledRun[];
}

/** A step of a state machine: takes the machine's record and returns it. */
export interface AnyStep extends Runnable {
  readonly kind: 'step';
}

export type AnyOperation = AnyTask | AnyStep | AnyConsumer | AnyEndpoint;

/** The part that a definition adds to what everybody sees: the typed input and the run itself. */
export interface Typed<Input, N extends Need, Output> {
  readonly needs: readonly N[];
  readonly input: z.ZodType<Input>;
  run(input: Input, ports: PortsFor<N> & TaskContext): Promise<Output>;
}

export type Described = Pick<Runnable, 'name' | 'summary'> & Partial<Pick<Runnable, 'timeout' | 'memoryMegabytes' | 'network'>>;

export const defaults = { timeout: minutes(5), memoryMegabytes: 512, network: 'none' } as const;

/** Before a task of the active Region runs, its host looks which Region that is. */
const toKnowWhereItIs = ['coordination:read'] as const satisfies readonly Need[];

/** `execute` of a definition: parses, takes the ports that it needs, runs. */
export const executor =
  <Input, N extends Need, Output>({ name, needs, input: schema, run }: { readonly name: string } & Typed<Input, N, Output>) =>
  (input: unknown, available: Partial<Ports>, context: TaskContext): Promise<Output> =>
    run(parseAs(schema, input, `the input of ${name}`), { ...portsFor(needs, available), ...context });

/**
 * Declares a scheduled task. `schedule` is either one schedule with an empty input, or a function of the config that
 * lists several runs.
 *
 * @example
 * export const checkVerificationAge = defineTask({
 *   name: 'check-verification-age',
 *   summary: 'Measures how old the newest verified restore of each database is.',
 *   schedule: every(minutes(15)),
 *   runsIn: 'active',
 *   needs: ['recovery-points:read'],
 *   input: z.strictObject({}),
 *   async run(_, { recoveryPoints, operations, clock, metrics }) { ... },
 * });
 */
export function defineTask<Input, const N extends Need, Output>(
  definition: Described &
    Typed<Input, N, Output> &
    Pick<AnyTask, 'runsIn'> &
    Partial<Pick<AnyTask, 'catchUp'>> & { readonly schedule: Schedule | ((operations: Operations) => readonly ScheduledRun[]) },
): AnyTask & Omit<Typed<Input, N, Output>, 'needs'> {
  const { schedule, ...rest } = definition;
  return {
    kind: 'task',
    catchUp: true,
    ...defaults,
    ...rest,
    needs: definition.runsIn === 'active' ? [...definition.needs, ...toKnowWhereItIs] : definition.needs,
    schedules: typeof schedule === 'function' ? schedule : () => [{ key: '', schedule, input: {} }],
    execute: executor(definition),
  };
}

/** Declares a step of a state machine. */
export function defineStep<Input, const N extends Need, Output>(
  definition: Described & Typed<Input, N, Output>,
): AnyStep & Typed<Input, N, Output> {
  return { kind: 'step', ...defaults, ...definition, execute: executor(definition) };
}
