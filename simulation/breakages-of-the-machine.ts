import { Duration } from '../functions/common/duration.ts';
import { timestamp } from '../functions/common/ids.ts';
import type { Operations } from '../functions/common/operations.ts';
import { type ApprovalAnswer, FailoverRecord } from '../functions/failover/models.ts';
import type { Breakage } from './breakages.ts';
import { brokenCoordination, inObservers, inStep } from './broken-ports.ts';
import type { Flaws } from './flaws.ts';
import type { Definition, State } from './machine/definition.ts';
import { operators } from './operations.ts';

/** The definition with one state changed. @throws RangeError when there is none of that name */
function withState(definition: Definition, name: string, change: (state: State) => State): Definition {
  const state = definition.States[name];
  if (!state) throw new RangeError(`the machine has no state "${name}"`);
  return { ...definition, States: { ...definition.States, [name]: change(state) } };
}

/** A choice that goes somewhere else for one status. */
const redirected =
  (status: string, next: string) =>
  (state: State): State =>
    state.Type === 'Choice'
      ? {
          ...state,
          Choices: state.Choices.map((rule) => (JSON.stringify(rule.condition).includes(`"${status}"`) ? { ...rule, next } : rule)),
        }
      : state;

/** Every failure of these states leads to `next`. */
const caughtBy =
  (next: string) =>
  (state: State): State =>
    state.Type === 'Task' ? { ...state, Retry: [], Catch: state.Catch.map((catcher) => ({ ...catcher, Next: next })) } : state;

const none = Duration.parse(0);

/** The policy as the claiming step has it, with another lease to wait for. */
const claimingWith =
  (lease: Partial<Operations['failover']['lease']>): NonNullable<Flaws['operations']> =>
  (operations, { name }) => {
    if (!name.startsWith('step claim-epoch ')) return operations;
    const { failover } = operations;
    return { ...operations, failover: { ...failover, lease: { ...failover.lease, ...lease } } };
  };

export const breakagesOfTheMachine: readonly Breakage[] = [
  {
    name: 'fence-wait-skipped',
    says: 'The claimant does not wait for the old lease.',
    flaws: { operations: claimingWith({ length: none, margin: none }) },
  },
  {
    name: 'margin-forgotten',
    says: 'The claimant waits for the length of a lease, without the margin.',
    flaws: { operations: claimingWith({ margin: none }) },
  },
  {
    name: 'unconditional-claim',
    says: 'The claim is written over whatever the record says by then.',
    flaws: { ports: brokenCoordination(inStep('claim-epoch'), (_, process, { table }) => ({ replace: table.forced(process) })) },
  },
  {
    name: 'unconditional-commit',
    says: 'The point of no return is written over whatever the record says by then.',
    flaws: { ports: brokenCoordination(inStep('commit-promotion'), (_, process, { table }) => ({ replace: table.forced(process) })) },
  },
  {
    name: 'promotion-before-the-commit',
    says: 'The replica is promoted as soon as the loss is known, and the record is committed to afterwards.',
    flaws: {
      definition: (definition) =>
        withState(definition, 'Is the loss within the budget?', redirected('within-budget', 'Promote the replica')),
      ports: brokenCoordination(inStep('promote-replica'), (coordination) => ({
        read: async () => {
          const record = await coordination.read();
          return record?.phase === 'claimed' ? { ...record, phase: 'promoting' as const } : record;
        },
      })),
    },
  },
  {
    name: 'rollback-after-the-commit',
    says: 'What fails after the point of no return gives the lease back.',
    flaws: {
      definition: (definition) =>
        ['Promote the replica', 'Is the new primary up?', 'Open the new primary for writes'].reduce(
          (changed, name) => withState(changed, name, caughtBy('Give the lease back')),
          definition,
        ),
      ports: brokenCoordination(inStep('give-lease-back'), (coordination) => ({
        read: async () => {
          const record = await coordination.read();
          return record?.phase === 'promoting' ? { ...record, phase: 'claimed' as const } : record;
        },
      })),
    },
  },
  {
    name: 'death-not-tried-again',
    says: 'A step that died is not called again: before the point of no return that gives the lease back.',
    flaws: {
      definition: (definition) => ({
        ...definition,
        States: Object.fromEntries(
          Object.entries(definition.States).map(([name, state]) => [name, state.Type === 'Task' ? { ...state, Retry: [] } : state]),
        ),
      }),
    },
  },
  {
    name: 'any-answer-counts',
    says: 'An answer is taken for an approval whatever it says, whoever gave it, whatever it was about.',
    flaws: {
      ports: brokenCoordination(inStep('await-answer', 'commit-promotion'), (_, process) => ({
        answerTo: async (hash): Promise<ApprovalAnswer> => {
          return { hash, answer: 'approved', by: operators[1], at: timestamp(process.clock.now()) };
        },
      })),
    },
  },
  {
    name: 'nobody-asked',
    says: 'Plans are made without the approval that the mode demands.',
    flaws: {
      ports: (ports, process) => {
        const { executions } = ports;
        if (!executions || !inObservers(process)) return ports;
        const unasked = (input: unknown) => ({ plan: { ...FailoverRecord.parse(input).plan, needsApproval: false } });
        return {
          ...ports,
          executions: { ...executions, start: ({ input, ...ref }) => executions.start({ ...ref, input: unasked(input) }) },
        };
      },
    },
  },
  {
    name: 'intent-not-recorded',
    says: 'Acts are written to the audit log when they are over.',
    flaws: {
      ports: (ports, process) => {
        const { auditLog } = ports;
        if (!auditLog || !inStep('commit-promotion', 'promote-replica')(process)) return ports;
        return {
          ...ports,
          auditLog: { ...auditLog, record: async (event) => (event.phase === 'intent' ? undefined : auditLog.record(event)) },
        };
      },
    },
  },
];
