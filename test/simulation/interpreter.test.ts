import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FailoverStatus } from '../../functions/failover/models.ts';
import { RecoveryStatus } from '../../functions/failover/recovery/models.ts';
import { runMachine } from '../../lab/machine-runner.ts';
import { type SynthesizedMachine, synthesizedMachines } from '../../lib/synthesized.ts';
import { parseDefinition } from '../../simulation/machine/definition.ts';
import { type ExecutionHost, execute, StatesError } from '../../simulation/machine/interpreter.ts';
import { simulatedOperations } from '../../simulation/operations.ts';

/** What the n-th call of a step does: finds a status, or fails with an error of that name. */
type Act = { readonly status: string } | { readonly error: string };

const errors = ['ServiceUnavailable', 'Conflict', 'Broken', 'Lambda.Unknown', 'Lambda.TooManyRequestsException', 'States.Timeout'];
const fails = fc.constantFrom(...errors).map((error): Act => ({ error }));
const finds = (statuses: readonly string[]) => fc.constantFrom(...statuses).map((status): Act => ({ status }));
const anything = fc.array(fc.oneof({ weight: 8, arbitrary: finds(FailoverStatus.options) }, { weight: 2, arbitrary: fails }), {
  maxLength: 40,
});

/** Along the way that goes well and off it: at random a recovery would never come far. */
const wayOfARecovery = [
  ...[
    'held',
    'kept',
    'chosen',
    'chosen',
    'chosen',
    'chosen',
    'chosen',
    'sound',
    'prepared',
    'replacing',
    'replaced',
    'protecting',
    'protected',
    'recovered',
  ],
] as const satisfies readonly RecoveryStatus[];
const recovery = fc.tuple(
  ...wayOfARecovery.map((status) =>
    fc.oneof(
      { weight: 10, arbitrary: finds([status]) },
      { weight: 1, arbitrary: finds(RecoveryStatus.options) },
      { weight: 1, arbitrary: fails },
    ),
  ),
);

/** What is restored has a record of its own inside that of a recovery. */
const input = { plan: 'p', verification: { of: 'a copy' } };

/** Every machine ends on this, wherever it is. */
const last: Act = { status: 'lost' };

/** Plays the acts in order, and writes down what each step was given. */
function scripted(acts: readonly Act[]) {
  const given: unknown[] = [];
  return {
    given,
    async invoke(operation: string, record: unknown): Promise<unknown> {
      const next = acts[given.length] ?? last;
      given.push([operation, record]);
      if ('error' in next) throw new StatesError(next.error, `call ${given.length}`);
      return { ...(record as object), status: next.status, restoreStatus: 'available', teardown: { status: 'removed' } };
    },
  };
}

/** Step Functions hands a machine the name of a function's error and a JSON cause: the lab's runner does the same. */
const asLambda =
  (invoke: (operation: string, record: unknown) => Promise<unknown>): ExecutionHost['invoke'] =>
  async (operation, record) => {
    try {
      return await invoke(operation, record);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new StatesError(error.name, JSON.stringify({ errorType: error.name, errorMessage: error.message, operation }));
    }
  };

const host = (invoke: ExecutionHost['invoke'], states: string[] = [], waits: number[] = []): ExecutionHost => ({
  invoke,
  wait: async (seconds) => void waits.push(seconds),
  draw: () => 0.5,
  onState: (state) => void states.push(state),
});

let machines: readonly SynthesizedMachine[];
beforeAll(() => {
  machines = synthesizedMachines(simulatedOperations({ mode: 'automatic', budgetSeconds: 60, databases: 1 }));
});

describe('the interpreter in simulated time', () => {
  it.each([
    ['failover', anything],
    ['failback', anything],
    ['verify-recovery-point', anything],
    ['recover-database', recovery],
  ])('takes %s through the same states with the same records as a second implementation does', async (name, script) => {
    const machine = machines.find((each) => each.name === name);
    if (!machine) throw new Error(`no machine ${name}`);
    const definition = parseDefinition(machine.definition);
    await fc.assert(
      fc.asyncProperty(script, async (acts) => {
        const [ours, theirs] = [scripted(acts), scripted(acts)];
        const [ourStates, theirStates]: [string[], string[]] = [[], []];
        const ending = await execute(definition, input, host(asLambda(ours.invoke), ourStates));
        const result = await runMachine({
          machine,
          input,
          invoke: theirs.invoke,
          onState: (state) => void theirStates.push(state),
          pauseMilliseconds: 0,
        }).then(
          (output) => ({ status: 'succeeded', output }),
          () => ({ status: 'failed' }),
        );
        // It tells of a Fail state that it enters only sometimes; that it failed it always does, under a name of its own.
        const told = (states: readonly string[]) => states.filter((state) => definition.States[state]?.Type !== 'Fail');
        expect(told(ourStates)).toEqual(told(theirStates));
        expect(ours.given).toEqual(theirs.given);
        expect(ending).toMatchObject(result);
      }),
      { numRuns: 20 },
    );
  });

  const oneTask = (task: object) =>
    parseDefinition({
      StartAt: 'Do it',
      States: { 'Do it': { Type: 'Task', Resource: 'work', End: true, ...task } },
    });
  const failing = (error: string, times: number) => {
    let calls = 0;
    return async () => {
      calls++;
      if (calls <= times) throw new StatesError(error, 'no');
      return calls;
    };
  };

  it('waits between attempts as each retrier says, and counts its attempts apart', async () => {
    const waits: number[] = [];
    const definition = oneTask({
      Retry: [
        { ErrorEquals: ['Conflict'], IntervalSeconds: 1, BackoffRate: 2, MaxDelaySeconds: 5, MaxAttempts: 4 },
        { ErrorEquals: ['States.ALL'], IntervalSeconds: 10, BackoffRate: 1, MaxAttempts: 1, JitterStrategy: 'FULL' },
      ],
    });
    const ending = await execute(definition, {}, host(failing('Conflict', 4), [], waits));
    expect(ending).toMatchObject({ status: 'succeeded', output: 5 });
    expect(waits).toEqual([1, 2, 4, 5]);
    waits.length = 0;
    expect(await execute(definition, {}, host(failing('Other', 2), [], waits))).toMatchObject({ status: 'failed', error: 'Other' });
    expect(waits).toEqual([5]);
  });

  it('puts what was caught where the catcher says, and leaves the record alone', async () => {
    const definition = parseDefinition({
      StartAt: 'Do it',
      States: {
        'Do it': {
          Type: 'Task',
          Resource: 'work',
          Next: 'Done',
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Done' }],
        },
        Done: { Type: 'Succeed' },
      },
    });
    const ending = await execute(definition, { kept: 1 }, host(failing('Broken', 9)));
    expect(ending).toMatchObject({ status: 'succeeded', output: { kept: 1, failure: { Error: 'Broken', Cause: 'no' } } });
  });

  it('hands a state the part of the record that it works on, and puts what comes back there', async () => {
    const definition = oneTask({ InputPath: '$.part', ResultPath: '$.part' });
    const double = async (_: string, part: unknown) => ({ count: 2 * Number((part as { readonly count: number }).count) });
    const ending = await execute(definition, { kept: 1, part: { count: 21 } }, host(double));
    expect(ending).toMatchObject({ status: 'succeeded', output: { kept: 1, part: { count: 42 } } });
  });

  it('waits until the instant in the record, where its host knows instants', async () => {
    const wait = (how: object) => parseDefinition({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', ...how, End: true } } });
    const until: string[] = [];
    const knows: ExecutionHost = { ...host(async () => {}), waitUntil: async (instant) => void until.push(instant) };
    const record = { wakeAt: '2026-11-21T07:05:00.000Z' };
    expect(await execute(wait({ TimestampPath: '$.wakeAt' }), record, knows)).toMatchObject({ status: 'succeeded', output: record });
    expect(until).toEqual([record.wakeAt]);
    await expect(
      execute(
        wait({ TimestampPath: '$.wakeAt' }),
        record,
        host(async () => {}),
      ),
    ).rejects.toThrow('knows no instants');
    await expect(execute(wait({ TimestampPath: '$.absent' }), record, knows)).rejects.toThrow('finds no instant');
    for (const how of [{}, { Seconds: 1, TimestampPath: '$.wakeAt' }]) expect(() => wait(how)).toThrow('either Seconds or TimestampPath');
  });

  it.each([
    ['a field that it does not know', { OutputPath: '$.part' }],
    ['a state that leads nowhere', { End: undefined, Next: 'Nowhere' }],
  ])('refuses %s', (_, task) => {
    expect(() => oneTask(task)).toThrow();
  });
});
