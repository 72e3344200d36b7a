import { describe, expect, test } from 'vitest';
import { longestExpiry } from '../../config/failover-rules.ts';
import { FailoverStatus } from '../../functions/failover/models.ts';
import type { Condition, Definition } from '../../simulation/machine/definition.ts';
import { failoverDefinition } from '../support/failover-run.ts';

const machine = failoverDefinition;

const commit = 'POINT OF NO RETURN: commit to the new primary';
const giveBack = 'Give the lease back';

interface Way {
  readonly from: string;
  readonly to: string;
  /** The status that a choice demands on this way; undefined where none is demanded. */
  readonly status?: string;
  readonly caught: boolean;
}

/** Every way from one state to another. */
const waysOf = ({ States }: Definition): readonly Way[] =>
  Object.entries(States).flatMap(([from, state]): readonly Way[] => {
    switch (state.Type) {
      case 'Choice':
        return [
          ...state.Choices.map(({ next, condition }) => ({ from, to: next, caught: false, ...demanded(condition) })),
          ...(state.Default ? [{ from, to: state.Default, caught: false }] : []),
        ];
      case 'Task':
        return [
          ...(state.Next ? [{ from, to: state.Next, caught: false }] : []),
          ...state.Catch.map(({ Next }) => ({ from, to: Next, caught: true })),
        ];
      case 'Wait':
      case 'Pass':
        return state.Next ? [{ from, to: state.Next, caught: false }] : [];
      default:
        return [];
    }
  });

function demanded(condition: Condition): { readonly status?: string } {
  if ('And' in condition) return condition.And.map(demanded).find(({ status }) => status) ?? {};
  return 'StringEquals' in condition && condition.Variable === '$.status' ? { status: condition.StringEquals } : {};
}

const ways = waysOf(machine);

/** States that can be reached from one, itself included. */
function from(start: string): ReadonlySet<string> {
  const seen = new Set([start]);
  for (const state of seen) for (const way of ways) if (way.from === state) seen.add(way.to);
  return seen;
}

const tasks = Object.entries(machine.States).flatMap(([name, state]) => (state.Type === 'Task' ? [{ name, state }] : []));
const stateOf = (operation: string) => tasks.find(({ state }) => state.Resource === operation)?.name ?? '';

describe('the definition of the failover machine', () => {
  test('nothing is promoted but by a choice that saw "committed"', () => {
    const into = ways.filter(({ to }) => to === stateOf('promote-replica'));
    expect(into.length).toBeGreaterThan(2);
    expect(into.filter(({ status }) => status !== 'committed')).toEqual([]);
  });

  test('nothing is committed to but by a choice that saw the loss within the budget, or accepted', () => {
    const into = ways.filter(({ to }) => to === commit);
    expect(into.map(({ status, from: where }) => `${where} ${status}`).sort()).toEqual([
      'Is the loss accepted? approved',
      'Is the loss within the budget? within-budget',
    ]);
  });

  test('nothing is measured before it is fenced', () => {
    const measure = stateOf('measure-loss');
    const into = ways.filter(({ to }) => to === measure).map(({ from: where, status }) => `${where} ${status ?? ''}`);
    expect(into.sort()).toEqual(['Is it fenced? fenced', 'Wait for the closing mark of the old primary ']);
  });

  test('beyond the point of no return no way leads back', () => {
    expect(from(stateOf('promote-replica')).has(giveBack)).toBe(false);
    expect(from(stateOf('claim-epoch')).has(giveBack)).toBe(true);
  });

  test('before it, whatever fails leads back; beyond it, to a human or on', () => {
    const before = ['assess-failover', 'claim-epoch', 'await-fence', 'measure-loss', 'commit-promotion', 'ask-human', 'await-answer'];
    for (const { name, state } of tasks.filter(({ state: { Resource } }) => before.includes(Resource))) {
      expect({ name, caught: state.Catch.map(({ Next }) => Next) }).toEqual({ name, caught: [giveBack] });
    }
    const beyond = ['promote-replica', 'scale-up', 'await-promotion', 'note-beginning', 'open-primary', 'confirm-writes'];
    for (const { name, state } of tasks.filter(({ state: { Resource } }) => beyond.includes(Resource))) {
      expect({ name, caught: state.Catch.map(({ Next }) => Next) }).toEqual({
        name,
        caught: ['Call a human: the new primary is not open'],
      });
    }
  });

  test('beyond it everything is tried again whatever happens, until people have been paged for long', () => {
    for (const operation of ['promote-replica', 'await-promotion', 'note-beginning', 'open-primary', 'confirm-writes', 'give-lease-back']) {
      const { state } = tasks.find((task) => task.state.Resource === operation) ?? {};
      const all = state?.Retry.find(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
      const waits = Array.from({ length: all?.MaxAttempts ?? 0 }, (_, made) =>
        Math.min((all?.IntervalSeconds ?? 0) * (all?.BackoffRate ?? 1) ** made, all?.MaxDelaySeconds ?? 0),
      );
      const total = waits.reduce((sum, wait) => sum + wait, 0);
      expect({ operation, minutes: Math.floor(total / 60) >= 25 && total / 60 < 60 }).toEqual({ operation, minutes: true });
    }
  });

  test('choices look at the status alone, by names that there are, and what is not named ends safely', () => {
    const statuses = new Set<string>(FailoverStatus.options);
    const choices = Object.entries(machine.States).flatMap(([name, state]) => (state.Type === 'Choice' ? [{ name, state }] : []));
    expect(choices.length).toBeGreaterThan(12);
    for (const { name, state } of choices) {
      const named = state.Choices.map(({ condition }) => demanded(condition).status ?? 'none');
      expect({ name, unknown: named.filter((status) => !statuses.has(status)) }).toEqual({ name, unknown: [] });
      const otherwise = machine.States[state.Default ?? ''];
      const isSafe =
        state.Default === giveBack || otherwise?.Type === 'Fail' || (otherwise?.Type === 'Task' && otherwise.Resource === 'call-human');
      expect({ name, isSafe }).toEqual({ name, isSafe: true });
    }
  });

  test('every wait is short: a human may be looking, and nobody can write', () => {
    const waits = Object.values(machine.States).flatMap((state) =>
      state.Type === 'Wait' ? [state.Seconds ?? Number.POSITIVE_INFINITY] : [],
    );
    expect(waits.length).toBeGreaterThan(4);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10);
  });

  test('an execution keeps within what Step Functions remembers, for as long as a config lets people take to answer', () => {
    const answer = machine.States['Wait for the answer to start'];
    const looks = answer?.Type === 'Wait' ? (3 * longestExpiry) / (answer.Seconds ?? 0) : Number.POSITIVE_INFINITY;
    expect(looks * 10).toBeLessThan(25_000);
  });
});
