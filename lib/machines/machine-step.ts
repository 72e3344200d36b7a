import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import { retryableErrorNames } from './retryable-errors.ts';

/** Beyond the function's own limit: starting it, and handing the record over. */
const invocationSlack = Duration.seconds(30);

/** Which errors are tried again, after which pauses. */
export interface Retries {
  /** `retryable`: what the error classes call so. `all`: whatever happens, for what must not be left undone. */
  readonly errors: 'retryable' | 'all';
  readonly interval: Duration;
  readonly maxDelay: Duration;
  readonly maxAttempts: number;
  /** Spreads executions that failed together. */
  readonly jitter?: boolean;
}

/** Waits of 5, 10, 20, 40 and then 60 s: about 5 min in all. Longer troubles end in teardown and a refused backup. */
const patience: Retries = {
  errors: 'retryable',
  interval: Duration.seconds(5),
  maxDelay: Duration.minutes(1),
  maxAttempts: 8,
  jitter: true,
};

/** Waits of 10, 20, 40, 80, 160 and then 300 s: about 45 min in all, because a restored copy must not stay. */
export const insistence: Retries = { errors: 'all', interval: Duration.seconds(10), maxDelay: Duration.minutes(5), maxAttempts: 13 };

/**
 * Lambda's own throttle, which CDK's list of service exceptions leaves out, and a function that ran into a limit or died ("Error names" of the Step Functions guide): steps may
 * be repeated, and one that died is no reason to give a failover up.
 */
const passing = ['Lambda.TooManyRequestsException', 'Lambda.Unknown', 'Runtime.ExitError', 'Sandbox.Timedout', sfn.Errors.TIMEOUT];

/** The steps that one machine can call. It remembers which were called for, so that the machine may invoke those alone. */
export class StepFunctions {
  readonly #all: readonly OperationsFunction[];
  readonly #used = new Set<OperationsFunction>();

  constructor(all: readonly OperationsFunction[]) {
    this.#all = all;
  }

  /** @throws InvalidInput when the registry has no such step */
  find(name: string): OperationsFunction {
    const found = this.#all.find((each) => each.operation.name === name);
    if (!found) throw new InvalidInput(`a machine needs the step "${name}", which is not in the registry`);
    this.#used.add(found);
    return found;
  }

  get usedArns(): readonly string[] {
    return [...this.#used].map((each) => each.function.functionArn);
  }
}

export interface MachineStepProps {
  readonly steps: StepFunctions;
  /** Name of the operation that does it. */
  readonly does: string;
  /** The part of the record that it takes and returns, where another machine's step is used; the whole record when left out. */
  readonly on?: `$.${string}`;
  /** `patience` when left out. */
  readonly retries?: Retries;
}

/**
 * One state that calls a step: the machine's record goes in, the record comes out. It has a time limit, retries what the
 * error classes call retryable (and what Lambda itself may throw), and its caller adds where failure leads.
 *
 * @param name a sentence for the operator who looks at a running machine
 */
export function machineStep(scope: Construct, name: string, { steps, does, on, retries = patience }: MachineStepProps): LambdaInvoke {
  const worker = steps.find(does);
  const state = new LambdaInvoke(scope, name, {
    lambdaFunction: worker.function,
    payloadResponseOnly: true,
    ...(on ? { inputPath: on, resultPath: on } : {}),
    taskTimeout: sfn.Timeout.duration(Duration.seconds(worker.operation.timeout).plus(invocationSlack)),
    comment: worker.operation.summary,
  });
  const { errors, jitter, ...pauses } = retries;
  state.addRetry({
    errors: errors === 'all' ? [sfn.Errors.ALL] : [...retryableErrorNames, ...passing],
    ...pauses,
    backoffRate: 2,
    ...(jitter ? { jitterStrategy: sfn.JitterType.FULL } : {}),
  });
  return state;
}
