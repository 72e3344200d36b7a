import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import { retryableErrorNames } from './retryable-errors.ts';

/** Beyond the function's own limit: starting it, and handing the record over. */
const invocationSlack = Duration.seconds(30);

/** Waits of 5, 10, 20, 40 and then 60 s: about 5 min in all. Longer troubles end in teardown and a refused backup. */
const patience = {
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.minutes(1),
  maxAttempts: 8,
  jitterStrategy: sfn.JitterType.FULL,
};

/** Waits of 10, 20, 40, 80, 160 and then 300 s: about 45 min in all, because a restored copy must not stay. */
const insistence = { interval: Duration.seconds(10), backoffRate: 2, maxDelay: Duration.minutes(5), maxAttempts: 13 };

/** Lambda's own throttle, which CDK's list of service exceptions leaves out. */
const throttled = 'Lambda.TooManyRequestsException';

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
  /** Retry whatever happens, and for long: for what must not be left undone. */
  readonly insist?: boolean;
}

/**
 * One state that calls a step: the machine's record goes in, the record comes out. It has a time limit, retries what the
 * error classes call retryable (and what Lambda itself may throw), and its caller adds where failure leads.
 *
 * @param name a sentence for the operator who looks at a running machine
 */
export function machineStep(scope: Construct, name: string, { steps, does, insist = false }: MachineStepProps): LambdaInvoke {
  const worker = steps.find(does);
  const state = new LambdaInvoke(scope, name, {
    lambdaFunction: worker.function,
    payloadResponseOnly: true,
    taskTimeout: sfn.Timeout.duration(Duration.seconds(worker.operation.timeout).plus(invocationSlack)),
    comment: worker.operation.summary,
  });
  if (insist) state.addRetry({ errors: [sfn.Errors.ALL], ...insistence });
  else state.addRetry({ errors: [...retryableErrorNames, throttled], ...patience });
  return state;
}
