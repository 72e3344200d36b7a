import { z } from 'zod';
import type { ExecutionRef, Executions } from '../maintenance/ports.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export type StartRequest = Parameters<Executions['start']>[0];

const Execution = z.strictObject({ status: z.enum(['running', 'succeeded', 'failed']) });

const idOf = ({ region, machine, name }: ExecutionRef): string => `${region}/${machine}/${name}`;

export interface MemoryExecutions extends Executions {
  /** Every execution that was started, in order; a repeated name appears once. */
  readonly started: readonly StartRequest[];
  /** Resolves when no execution runs any more. */
  settled(): Promise<void>;
}

/**
 * Runs each execution with `runner`: one that resolves succeeded, one that throws failed. Without a runner every
 * execution stays running, for tests that only ask what was started.
 */
export function memoryExecutions(store: ItemStore, runner?: (request: StartRequest) => Promise<unknown>): MemoryExecutions {
  const executions = items(store, 'executions', Execution);
  const started: StartRequest[] = [];
  const running = new Set<Promise<void>>();
  async function run(id: string, request: StartRequest, work: (request: StartRequest) => Promise<unknown>): Promise<void> {
    const succeeded = await work(request).then(
      () => true,
      () => false,
    );
    executions.put(id, { status: succeeded ? 'succeeded' : 'failed' });
  }
  return {
    started,
    async start(request) {
      const id = idOf(request);
      if (executions.get(id)) return;
      executions.put(id, { status: 'running' }, 'absent');
      started.push(request);
      if (runner) {
        const work = run(id, request, runner).finally(() => running.delete(work));
        running.add(work);
      }
    },
    async describe(ref) {
      return executions.get(idOf(ref))?.value;
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
