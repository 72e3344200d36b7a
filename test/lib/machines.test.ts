import validateAsl from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { steps } from '../../functions/tasks.ts';
import { retryableErrorNames } from '../../lib/machines/retryable-errors.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { Machine, ofType, reachable } from '../support/machine-graph.ts';
import { testOperations } from '../support/operations.ts';

const operations = testOperations();
const synthesized = synthesizedMachines(operations);
const machines = synthesized.map(({ name, definition }) => ({ name, machine: Machine.parse(definition) }));

test('the machines call every step of the registry, and nothing else', () => {
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
    const reached = reachable(machine);
    const successes = ofType(machine, 'Succeed').map(([success]) => success);
    expect(successes.filter((success) => !reached.has(success))).toEqual([]);
    expect(successes.filter((success) => reached.has(`${success} after a failure`))).toEqual([]);
  });

  test('the check above finds a machine that forgets the failure', () => {
    const forgetful = Machine.parse(JSON.parse(JSON.stringify(machine).replaceAll('$.failure"', '$.forgotten"')));
    const reached = reachable(forgetful);
    expect(ofType(forgetful, 'Succeed').filter(([success]) => reached.has(`${success} after a failure`))).toHaveLength(1);
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

describe.each(machines.filter(({ name }) => name.startsWith('verify-') || name === 'failover-rehearsal'))(
  '$name restores something, and',
  ({ machine }) => {
    const teardown = Object.keys(machine.States).find((name) => /^(Tear|Remove)/.test(name)) ?? '';

    test('every way to an end leads through the teardown', () => {
      expect(machine.States[teardown]?.Type).toBe('Task');
      const ends = [...ofType(machine, 'Succeed'), ...ofType(machine, 'Fail')].map(([says]) => says);
      const withoutTeardown = reachable(machine, teardown);
      expect(ends.filter((end) => withoutTeardown.has(end) || withoutTeardown.has(`${end} after a failure`))).toEqual([]);
    });

    test('the teardown is retried whatever happens, for half an hour at least', () => {
      const insisted = machine.States[teardown]?.Retry.find((retry) => retry.ErrorEquals.includes('States.ALL'));
      const { IntervalSeconds, BackoffRate, MaxDelaySeconds, MaxAttempts } = z
        .object({ IntervalSeconds: z.number(), BackoffRate: z.number(), MaxDelaySeconds: z.number(), MaxAttempts: z.number() })
        .parse(insisted);
      const waits = Array.from({ length: MaxAttempts }, (_, attempt) =>
        Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt),
      );
      expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(1800);
    });

    test('it outlives the longest restore by hours, so that its own limit never cuts a teardown off', () => {
      expect(machine.TimeoutSeconds).toBeGreaterThanOrEqual(operations.verification.restoreLimit + 6 * 3600);
    });
  },
);
