import validateAsl from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { steps } from '../../functions/tasks.ts';
import { retryableErrorNames } from '../../lib/machines/retryable-errors.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { testOperations } from '../support/operations.ts';

const Rule = z.looseObject({ Next: z.string().optional() });
const State = z.looseObject({
  Type: z.enum(['Task', 'Wait', 'Choice', 'Succeed', 'Fail']),
  Resource: z.string().optional(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  TimeoutSeconds: z.number().optional(),
  Choices: z.array(Rule).default([]),
  Retry: z.array(z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() })).default([]),
  Catch: z.array(z.object({ ErrorEquals: z.array(z.string()), ResultPath: z.string(), Next: z.string() })).default([]),
});
type State = z.output<typeof State>;
const Machine = z.object({ StartAt: z.string(), TimeoutSeconds: z.number(), States: z.record(z.string(), State) });
type Machine = z.output<typeof Machine>;

const operations = testOperations();
const synthesized = synthesizedMachines(operations);
const machines = synthesized.map(({ name, definition }) => ({ name, machine: Machine.parse(definition) }));

/** What follows a state: every branch of a choice, and every catch; `failed` says whether a failure is then in the record. */
function following(state: State, failed: boolean): readonly { readonly name: string; readonly failed: boolean }[] {
  const taken = state.Choices.filter((rule) => !(failed && demandsNoFailure(rule))).flatMap((rule) => rule.Next ?? []);
  return [
    ...[state.Next, state.Default, ...taken].flatMap((name) => (name ? [{ name, failed }] : [])),
    ...state.Catch.map(({ Next }) => ({ name: Next, failed: true })),
  ];
}

/** A choice that is not taken while `$.failure` is in the record. */
function demandsNoFailure(rule: z.output<typeof Rule>): boolean {
  const NoFailure = z.looseObject({ Not: z.object({ Variable: z.literal('$.failure'), IsPresent: z.literal(true) }) });
  const all = z.object({ And: z.array(z.unknown()) }).safeParse(rule);
  return (all.success ? all.data.And : [rule]).some((part) => NoFailure.safeParse(part).success);
}

/** Every (state, failed) that an execution can get to. */
function reachable(machine: Machine, without?: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [{ name: machine.StartAt, failed: false }];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const key = `${next.name}${next.failed ? ' after a failure' : ''}`;
    if (next.name === without || seen.has(key)) continue;
    seen.add(key);
    const state = machine.States[next.name];
    if (!state) throw new Error(`no state "${next.name}"`);
    queue.push(...following(state, next.failed));
  }
  return seen;
}

const ofType = (machine: Machine, type: State['Type']) => Object.entries(machine.States).filter(([, state]) => state.Type === type);
const teardownOf = (machine: Machine) => Object.keys(machine.States).find((name) => /^(Tear|Remove)/.test(name)) ?? '';

test('both machines call every step of the registry, and nothing else', () => {
  const called = machines.flatMap(({ machine }) => ofType(machine, 'Task').map(([, state]) => state.Resource));
  expect([...new Set(called)].sort()).toEqual(steps.map((step) => step.name).sort());
});

describe.each(machines)('$name', ({ name, machine }) => {
  test('is valid Amazon States Language', () => {
    const definition = structuredClone(synthesized.find((each) => each.name === name)?.definition ?? { States: {} });
    for (const state of Object.values(definition.States)) {
      if (state.Resource) state.Resource = `arn:aws:lambda:us-east-1:111122223333:function:hms-codeblue-${state.Resource}`;
    }
    const { isValid, errorsText } = validateAsl(definition);
    expect({ isValid, errors: isValid ? '' : errorsText() }).toEqual({ isValid: true, errors: '' });
  });

  test('every task has a time limit beyond its function, a retry for what passes, and a catch for everything', () => {
    const tasks = ofType(machine, 'Task');
    expect(tasks.length).toBeGreaterThan(5);
    for (const [says, state] of tasks) {
      const step = steps.find((each) => each.name === state.Resource);
      expect({ says, limit: (state.TimeoutSeconds ?? 0) > Number(step?.timeout) }).toEqual({ says, limit: true });
      const retried = state.Retry.flatMap((retry) => retry.ErrorEquals);
      expect({ says, retried: retried.includes('States.ALL') || retryableErrorNames.every((error) => retried.includes(error)) }).toEqual({
        says,
        retried: true,
      });
      expect({ says, caught: state.Catch.map(({ ErrorEquals, ResultPath }) => [ErrorEquals, ResultPath]) }).toEqual({
        says,
        caught: [[['States.ALL'], '$.failure']],
      });
    }
  });

  test('no path with a failure on it ends in success', () => {
    const [[success] = ['']] = ofType(machine, 'Succeed');
    expect(reachable(machine).has(success)).toBe(true);
    expect(reachable(machine).has(`${success} after a failure`)).toBe(false);
  });

  test('the check above finds a machine that forgets the failure', () => {
    const forgetful = Machine.parse(JSON.parse(JSON.stringify(machine).replaceAll('$.failure"', '$.forgotten"')));
    expect([...reachable(forgetful)].filter((each) => /verified after a failure$/.test(each))).toHaveLength(1);
  });

  test('every way to an end leads through the teardown', () => {
    const teardown = teardownOf(machine);
    expect(machine.States[teardown]?.Type).toBe('Task');
    const ends = [...ofType(machine, 'Succeed'), ...ofType(machine, 'Fail')].map(([says]) => says);
    const withoutTeardown = reachable(machine, teardown);
    expect(ends.filter((end) => withoutTeardown.has(end) || withoutTeardown.has(`${end} after a failure`))).toEqual([]);
  });

  test('the teardown is retried whatever happens, for half an hour at least', () => {
    const insisted = machine.States[teardownOf(machine)]?.Retry.find((retry) => retry.ErrorEquals.includes('States.ALL'));
    const { IntervalSeconds, BackoffRate, MaxDelaySeconds, MaxAttempts } = z
      .object({ IntervalSeconds: z.number(), BackoffRate: z.number(), MaxDelaySeconds: z.number(), MaxAttempts: z.number() })
      .parse(insisted);
    const waits = Array.from({ length: MaxAttempts }, (_, attempt) => Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt));
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(1800);
  });

  test('it outlives the longest restore by hours, so that its own limit never cuts a teardown off', () => {
    expect(machine.TimeoutSeconds).toBeGreaterThanOrEqual(operations.verification.restoreLimit + 6 * 3600);
  });

  test('nobody is stranded: every state can be reached, and an end from every state', () => {
    const seen = reachable(machine);
    expect(Object.keys(machine.States).filter((says) => !seen.has(says) && !seen.has(`${says} after a failure`))).toEqual([]);
    const stuck = Object.keys(machine.States).filter((says) => {
      const ends = [...reachable({ ...machine, StartAt: says })].filter((each) =>
        ['Succeed', 'Fail'].includes(machine.States[each.replace(/ after a failure$/, '')]?.Type ?? ''),
      );
      return ends.length === 0;
    });
    expect(stuck).toEqual([]);
  });
});
