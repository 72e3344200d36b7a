import { InvalidInput } from '../../functions/common/errors.ts';
import type { Catcher, Condition, Definition, Retrier, State } from './definition.ts';
import { at, withResult } from './paths.ts';

/** An error as Step Functions knows it: a name to match on and a cause to show. */
export class StatesError extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** The world that an execution runs in: time passes only in here. */
export interface ExecutionHost {
  /**
   * Runs the operation that a task state names. The record goes in and comes out as JSON.
   * @throws an error whose `name` the machine matches on; one named `States.Timeout` after `timeoutSeconds`
   */
  invoke(operation: string, record: unknown, timeoutSeconds: number | undefined): Promise<unknown>;
  wait(seconds: number): Promise<void>;
  /** Until that instant (ISO 8601); at once where it is past. Only for machines with such waits. */
  waitUntil?(instant: string): Promise<void>;
  /** In [0, 1): jitter. */
  draw(): number;
  onState(state: string): void;
}

export type Ending =
  | { readonly status: 'succeeded'; readonly state: string; readonly output: unknown }
  | { readonly status: 'failed'; readonly state: string; readonly error: string; readonly cause: string };

/** Executes a definition to its end, in the host's time. The limit of the whole execution is the host's to keep. */
export async function execute({ StartAt, States }: Definition, input: unknown, host: ExecutionHost): Promise<Ending> {
  let [name, record] = [StartAt, input];
  for (;;) {
    const state = States[name];
    if (!state) throw new InvalidInput(`the machine has no state "${name}"`);
    host.onState(name);
    const step = await enter(state, record, host);
    if (step.kind === 'ended') return { status: 'succeeded', state: name, output: step.output };
    if (step.kind === 'failed') return { status: 'failed', state: name, error: step.error, cause: step.cause };
    [name, record] = [step.next, step.record];
  }
}

type Step =
  | { readonly kind: 'next'; readonly next: string; readonly record: unknown }
  | { readonly kind: 'ended'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly error: string; readonly cause: string };

const onward = ({ Next }: { readonly Next?: string | undefined }, record: unknown): Step =>
  Next === undefined ? { kind: 'ended', output: record } : { kind: 'next', next: Next, record };

async function enter(state: State, record: unknown, host: ExecutionHost): Promise<Step> {
  switch (state.Type) {
    case 'Task':
      return perform(state, record, host);
    case 'Choice': {
      const next = state.Choices.find(({ condition }) => holds(condition, record))?.next ?? state.Default;
      if (next === undefined) return { kind: 'failed', error: 'States.NoChoiceMatched', cause: 'no rule applies and there is no default' };
      return { kind: 'next', next, record };
    }
    case 'Wait':
      await wait(state, record, host);
      return onward(state, record);
    case 'Pass':
      return onward(state, state.Result === undefined ? record : withResult(record, state.ResultPath, state.Result));
    case 'Succeed':
      return { kind: 'ended', output: record };
    case 'Fail':
      return { kind: 'failed', error: state.Error ?? '', cause: state.Cause ?? '' };
  }
}

async function wait({ Seconds, TimestampPath }: Extract<State, { Type: 'Wait' }>, record: unknown, host: ExecutionHost): Promise<void> {
  if (TimestampPath === undefined) return host.wait(Seconds ?? 0);
  const instant = at(record, TimestampPath);
  if (!host.waitUntil) throw new InvalidInput('the interpreter is run by a host that knows no instants');
  if (typeof instant !== 'string') throw new InvalidInput(`the interpreter finds no instant at ${TimestampPath}`);
  return host.waitUntil(instant);
}

/** One task with its retries; each retrier counts its own attempts. */
async function perform(state: Extract<State, { Type: 'Task' }>, record: unknown, host: ExecutionHost): Promise<Step> {
  const attempts = new Map<Retrier, number>();
  for (;;) {
    try {
      const result = await host.invoke(state.Resource, at(record, state.InputPath), state.TimeoutSeconds);
      return onward(state, withResult(record, state.ResultPath, result));
    } catch (thrown) {
      if (thrown instanceof InvalidInput && thrown.message.startsWith('the interpreter')) throw thrown;
      const error = thrown instanceof Error ? thrown : new StatesError('States.TaskFailed', String(thrown));
      const retrier = state.Retry.find(({ ErrorEquals }) => matches(ErrorEquals, error.name));
      const made = retrier ? (attempts.get(retrier) ?? 0) : 0;
      if (retrier && made < retrier.MaxAttempts) {
        attempts.set(retrier, made + 1);
        await host.wait(delaySeconds(retrier, made, host));
        continue;
      }
      const catcher = state.Catch.find((each: Catcher) => matches(each.ErrorEquals, error.name));
      if (!catcher) return { kind: 'failed', error: error.name, cause: error.message };
      return {
        kind: 'next',
        next: catcher.Next,
        record: withResult(record, catcher.ResultPath, { Error: error.name, Cause: error.message }),
      };
    }
  }
}

/** `made` retries were made before this one. */
function delaySeconds(
  { IntervalSeconds, BackoffRate, MaxDelaySeconds, JitterStrategy }: Retrier,
  made: number,
  host: ExecutionHost,
): number {
  const delay = Math.min(IntervalSeconds * BackoffRate ** made, MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return JitterStrategy === 'FULL' ? delay * host.draw() : delay;
}

/** `States.TaskFailed` stands for everything but timeouts, `States.ALL` for everything. */
function matches(patterns: readonly string[], error: string): boolean {
  return patterns.some(
    (pattern) => pattern === error || pattern === 'States.ALL' || (pattern === 'States.TaskFailed' && error !== 'States.Timeout'),
  );
}

function holds(condition: Condition, record: unknown): boolean {
  if ('And' in condition) return condition.And.every((each) => holds(each, record));
  if ('Or' in condition) return condition.Or.some((each) => holds(each, record));
  if ('Not' in condition) return !holds(condition.Not, record);
  const value = at(record, condition.Variable);
  if ('IsPresent' in condition) return (value !== undefined) === condition.IsPresent;
  return value === ('StringEquals' in condition ? condition.StringEquals : condition.BooleanEquals);
}
