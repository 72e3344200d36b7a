import { z } from 'zod';
import type { Executions } from '../maintenance/ports.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export type StartRequest = Parameters<Executions['start']>[0];

const Execution = z.strictObject({ status: z.enum(['running', 'succeeded', 'failed']) });

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
  async function run(executionId: string, request: StartRequest, work: (request: StartRequest) => Promise<unknown>): Promise<void> {
    const succeeded = await work(request).then(
      () => true,
      () => false,
    );
    executions.put(executionId, { status: succeeded ? 'succeeded' : 'failed' });
  }
  return {
    started,
    async start(request) {
      const executionId = `${request.region}/${request.machine}/${request.name}`;
      if (executions.get(executionId)) return { executionId };
      executions.put(executionId, { status: 'running' }, 'absent');
      started.push(request);
      if (runner) {
        const work = run(executionId, request, runner).finally(() => running.delete(work));
        running.add(work);
      }
      return { executionId };
    },
    async describe(executionId) {
      return executions.get(executionId)?.value;
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
