import { Region } from '../../functions/common/ids.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { Ports } from '../../functions/common/ports.ts';
import type { AnyStep, AnyTask } from '../../functions/common/task.ts';
import { type Host, runStep, runTask } from '../../functions/handlers/run-operation.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryDatabases } from '../../functions/memory/databases.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { memoryTaskInvoker } from '../../functions/memory/task-invoker.ts';
import type { SqlServers } from '../../functions/verify/ports.ts';
import { testOperations } from './operations.ts';

/** Where a run happens and what it can reach, where that is not the primary Region and everything. */
interface Place {
  readonly region?: string;
  readonly ports?: Partial<Ports>;
}

/**
 * A deployment in memory whose tasks and steps run as their hosts run them. Its clock stands still unless it is moved; a snapshot shows
 * the database of two seconds after it was asked for.
 */
export function memoryWorld(
  given: {
    readonly start?: string;
    readonly operations?: Operations;
    readonly sqlServers?: SqlServers;
    readonly invoker?: Parameters<typeof memoryTaskInvoker>[0];
  } = {},
) {
  const { start = '2026-11-21T12:00:00Z', operations = testOperations(), sqlServers } = given;
  const clock = manualClock(start);
  const store = memoryItemStore(clock);
  const databases = memoryDatabases({ operations, clock, store, timings: { captureSeconds: 2 } });
  const taskInvoker = memoryTaskInvoker(given.invoker);
  const ports = memoryPorts({ operations, clock, store, databases, taskInvoker, ...(sqlServers ? { sqlServers } : {}) });
  const hostAt = ({ region = operations.regions.primary, ports: reached = ports }: Place): Host => ({
    ...{ ports: reached, operations, clock, log: silentLogger, codeSha256: '0c'.repeat(32) },
    region: Region.parse(region),
  });
  const deadline = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000);
  let passes = 0;
  return {
    ...{ clock, store, operations, ports, hostAt },
    /** Runs one occurrence as its schedule would. */
    run: (task: AnyTask, event: { readonly key?: string; readonly scheduledAt?: Date; readonly input?: unknown } = {}, at: Place = {}) =>
      runTask(task, { ...event, scheduledAt: (event.scheduledAt ?? clock.now()).toISOString() }, hostAt(at), deadline(task.timeout)),
    /** One more occurrence of a task without input, whatever ran before at this moment. */
    pass: (task: AnyTask, at: Place = {}) =>
      runTask(task, { key: `pass ${++passes}`, scheduledAt: clock.now().toISOString() }, hostAt(at), deadline(task.timeout)),
    step: (step: AnyStep, record: unknown, at: Place = {}) => runStep(step, record, hostAt(at), deadline(step.timeout)),
  };
}

export type MemoryWorld = ReturnType<typeof memoryWorld>;
