import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { z } from 'zod';
import { messageOf } from '../functions/common/errors.ts';

type JSONValue = Parameters<StateMachine['run']>[0];

/** An ASL document as the CDK app synthesized it, with the name of an operation as the `Resource` of each task. */
export interface MachineDefinition {
  readonly name: string;
  readonly definition: unknown;
}

/** The interpreter holds a machine's time limit with a timer of its own, which takes 24 days and takes more for none at all. */
const longestSeconds = 24 * 86_400;

const Definition = z.looseObject({
  StartAt: z.string(),
  TimeoutSeconds: z.number().optional(),
  States: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Resource: z.string().optional(), Retry: z.array(z.unknown()).optional() }),
  ),
});

export interface MachineRun {
  readonly machine: MachineDefinition;
  readonly input: unknown;
  /** Runs the operation that a task state names, as Lambda would. */
  invoke(operation: string, record: unknown): Promise<unknown>;
  /** Called as each state is entered, with its name. */
  onState?(state: string): void;
  /** Stands in for every `Wait` and every pause before a retry, in milliseconds. */
  readonly pauseMilliseconds: number;
  /** Ends the execution where it stands. */
  readonly signal?: AbortSignal;
}

/**
 * Executes a synthesized definition to its end: the same document that is deployed, interpreted locally.
 *
 * @returns the output of the state that ended it
 * @throws the error of the Fail state, or of the task that nobody caught
 */
export async function runMachine({ machine, input, invoke, onState, pauseMilliseconds, signal }: MachineRun): Promise<unknown> {
  const { States, stateMachine } = interpreted(machine.definition);
  const states = Object.entries(States);
  const overrides = {
    taskResourceLocalHandlers: Object.fromEntries(
      states.flatMap(([state, { Type, Resource }]) =>
        Type === 'Task' && Resource ? [[state, (record: JSONValue) => asLambda(Resource, () => invoke(Resource, record))]] : [],
      ),
    ),
    waitTimeOverrides: Object.fromEntries(states.filter(([, { Type }]) => Type === 'Wait').map(([state]) => [state, pauseMilliseconds])),
    retryIntervalOverrides: Object.fromEntries(states.filter(([, { Retry }]) => Retry).map(([state]) => [state, pauseMilliseconds])),
  };
  const execution = stateMachine.run(z.json().parse(input), { overrides });
  const crash = (): void => execution.abort();
  if (signal?.aborted) crash();
  signal?.addEventListener('abort', crash);
  const watching = (async () => {
    for await (const event of execution.eventLogs) if (event.type === 'StateEntered') onState?.(event.state.name);
  })();
  try {
    return await execution.result;
  } finally {
    signal?.removeEventListener('abort', crash);
    await watching;
  }
}

interface Interpreted extends Pick<z.output<typeof Definition>, 'States'> {
  readonly stateMachine: StateMachine;
}
/** A document is read and validated once: that takes longer than to run it. */
const interpretations = new WeakMap<object, Interpreted>();

function interpreted(document: unknown): Interpreted {
  const known = typeof document === 'object' && document !== null ? interpretations.get(document) : undefined;
  if (known) return known;
  const definition = Definition.parse(document);
  const { States, TimeoutSeconds } = definition;
  const limited = TimeoutSeconds === undefined ? definition : { ...definition, TimeoutSeconds: Math.min(TimeoutSeconds, longestSeconds) };
  // Resources are names of operations here, not ARNs.
  const stateMachine = new StateMachine(limited as StateMachineDefinition, { validationOptions: { checkArn: false } });
  const made = { States, stateMachine };
  if (typeof document === 'object' && document !== null) interpretations.set(document, made);
  return made;
}

/** What Step Functions sees of a Lambda function: JSON in and out; an error as its name and a JSON cause. */
async function asLambda(operation: string, work: () => Promise<unknown>): Promise<JSONValue> {
  try {
    return z.json().parse(JSON.parse(JSON.stringify((await work()) ?? null)));
  } catch (error) {
    const errorType = error instanceof Error ? error.name : 'Error';
    const wrapped = new Error(JSON.stringify({ errorType, errorMessage: messageOf(error), operation }), { cause: error });
    wrapped.name = errorType;
    throw wrapped;
  }
}
