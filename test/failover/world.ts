import type { Clock } from '../../functions/common/clock.ts';
import type { Region } from '../../functions/common/ids.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { Ports } from '../../functions/common/ports.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { runTask } from '../../functions/handlers/run-operation.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { operations as defaults, start } from './support.ts';

/** Time that jumps from sleeper to sleeper, so that runs in several Regions share it and none waits. */
function sharedTime() {
  let now = start.getTime();
  let order = 0;
  const sleepers: { readonly at: number; readonly order: number; readonly wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(now),
    sleep: (milliseconds) => new Promise((wake) => sleepers.push({ at: now + milliseconds, order: order++, wake })),
  };
  /** Lets everything that is under way go as far as it can without time, and then moves on to `until`. */
  async function passTo(until: number): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      sleepers.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = sleepers[0];
      if (next === undefined || next.at > until) break;
      sleepers.shift();
      now = next.at;
      next.wake();
    }
    now = Math.max(now, until);
  }
  return {
    clock,
    secondsPass: (seconds: number) => passTo(now + seconds * 1000),
    until: (seconds: number) => passTo(start.getTime() + seconds * 1000),
  };
}

/** A deployment in memory in which several runs go on at once. */
export function failoverWorld(operations: Operations = defaults) {
  const { clock, secondsPass, until } = sharedTime();
  const store = memoryItemStore(clock);
  const ports = memoryPorts({ operations, clock, store });
  let runs = 0;
  return {
    ...{ operations, clock, ports, secondsPass, until },
    /** Starts a run as its schedule would; what it gives comes when its time is over. */
    begin(task: AnyTask, region: Region, reached: Partial<Ports> = ports) {
      const event = { key: `run ${++runs}`, scheduledAt: clock.now().toISOString() };
      const host = { ports: reached, operations, region, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
      const deadline = new Date(clock.now().getTime() + task.timeout * 1000);
      const outcome: { result?: unknown; error?: unknown; ended: boolean } = { ended: false };
      runTask(task, event, host, deadline).then(
        ({ result }) => Object.assign(outcome, { result, ended: true }),
        (error: unknown) => Object.assign(outcome, { error, ended: true }),
      );
      return outcome;
    },
  };
}
export type FailoverWorld = ReturnType<typeof failoverWorld>;

/** A port whose method never answers. */
export const hanging = <P extends object>(port: P, ...methods: readonly (keyof P)[]): P =>
  new Proxy(port, {
    get: (target, key) => (methods.some((method) => method === key) ? () => new Promise(() => {}) : Reflect.get(target, key)),
  });
