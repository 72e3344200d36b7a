import type { TaskInvoker } from '../maintenance/ports.ts';

export type Invocation = Parameters<TaskInvoker['invoke']>[0];

export interface MemoryTaskInvoker extends TaskInvoker {
  readonly invoked: readonly Invocation[];
}

/** Records every invocation and hands it to `runner`, waiting for it; an error of the task reaches the caller. */
export function memoryTaskInvoker(runner: (invocation: Invocation) => Promise<unknown> = async () => {}): MemoryTaskInvoker {
  const invoked: Invocation[] = [];
  return {
    invoked,
    async invoke(invocation) {
      invoked.push(invocation);
      await runner(invocation);
    },
  };
}
