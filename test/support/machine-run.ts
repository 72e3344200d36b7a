import { synthesizedMachines } from '../../lib/synthesized.ts';
import { type Definition, parseDefinition } from '../../simulation/machine/definition.ts';
import { execute } from '../../simulation/machine/interpreter.ts';
import { type FailoverWorld, movableOperations } from './failover-world.ts';

/** A machine as it is deployed. */
export const deployedMachine = (name: string): Definition =>
  parseDefinition(synthesizedMachines(movableOperations()).find((machine) => machine.name === name)?.definition);

export interface Around {
  onState?(state: string): Promise<void> | void;
  before?(step: string): Promise<void> | void;
  after?(step: string): Promise<void> | void;
  /** The process dies in the state of that number: before its step runs, or after it ran and before anybody heard of it. */
  readonly dies?: { readonly at: number; readonly when: 'before' | 'after' };
  /** Instead of a step that needs real servers; the others are the real ones. */
  readonly instead?: Readonly<Record<string, (record: Readonly<Record<string, unknown>>) => unknown>>;
}

const never = () => new Promise<never>(() => {});

/** What an execution needs of a deployment in memory. */
export interface MachineWorld extends Pick<FailoverWorld, 'clock'> {
  step(name: string, record: unknown): Promise<unknown>;
}

/** Executes a machine over a deployment in memory, on its clock. */
export async function runMachine(definition: Definition, world: MachineWorld, input: unknown, around: Around = {}) {
  const states: string[] = [];
  let die = () => {};
  const death = new Promise<'died'>((resolve) => {
    die = () => resolve('died');
  });
  const dead = (when: 'before' | 'after') => {
    if (around.dies?.when !== when || around.dies.at !== states.length - 1) return undefined;
    die();
    return never();
  };
  const enter = async () => {
    await around.onState?.(states.at(-1) ?? '');
    await dead('before');
  };
  let last: unknown;
  const execution = execute(definition, input, {
    async invoke(operation, record) {
      await enter();
      await around.before?.(operation);
      const instead = around.instead?.[operation];
      last = instead ? instead(record as Readonly<Record<string, unknown>>) : await world.step(operation, record);
      await around.after?.(operation);
      await dead('after');
      return last;
    },
    async wait(seconds) {
      await enter();
      world.clock.advance(seconds);
    },
    draw: () => 0.5,
    onState(state) {
      states.push(state);
      if (states.length > 5_000) throw new Error(`it goes round in circles: ${states.slice(-8).join(' > ')}`);
    },
  });
  const ending = await Promise.race([execution, death]);
  const end = ending === 'died' ? 'died' : ending.state;
  return { states, end, succeeded: ending !== 'died' && ending.status === 'succeeded', record: last };
}

/** Acts whose outcome or intent is missing in the audit log. */
export async function unpairedActs({ ports }: Pick<FailoverWorld, 'ports'>): Promise<readonly string[]> {
  const acts = new Map<string, string[]>();
  for (const { actId, phase } of await ports.auditLog.recent(new Date(0), 10_000)) acts.set(actId, [...(acts.get(actId) ?? []), phase]);
  return [...acts].filter(([, phases]) => [...phases].sort().join() !== 'intent,outcome').map(([id]) => id);
}
