import validateAsl from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { steps } from '../../functions/tasks.ts';
import { retryableErrorNames } from '../../lib/machines/retryable-errors.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { Machine, ofType, reachable, type State } from '../support/machine-graph.ts';
import { monitoredOperations } from '../support/monitored.ts';

const operations = monitoredOperations({ incidents: 'on' }); // with a runbook, so that every machine is there
const synthesized = synthesizedMachines(operations);
const machines = synthesized.map(({ name, definition }) => ({ name, machine: Machine.parse(definition) }));

/** The machine whose choices ask for another thing than the failure. Where none asks, because every catch is an end: the one whose catches go on as if nothing had failed. */
function forgetful(machine: Machine): Machine {
  if (ofType(machine, 'Choice').some(([, state]) => JSON.stringify(state.Choices).includes('"$.failure"')))
    return Machine.parse(JSON.parse(JSON.stringify(machine).replaceAll('$.failure"', '$.forgotten"')));
  const goesOn = (state: State): State => ({ ...state, Catch: state.Catch.map((each) => ({ ...each, Next: state.Next ?? each.Next })) });
  return { ...machine, States: Object.fromEntries(Object.entries(machine.States).map(([says, state]) => [says, goesOn(state)])) };
}

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
    expect(tasks.length).toBeGreaterThan(name === 'escalate-incident' ? 1 : 5); // it computes and it sends
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
    const careless = forgetful(machine);
    const reached = reachable(careless);
    expect(ofType(careless, 'Succeed').filter(([success]) => reached.has(`${success} after a failure`))).not.toEqual([]);
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
