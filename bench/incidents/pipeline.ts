import { systemClock } from '../../functions/common/clock.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { type Host, runStep } from '../../functions/handlers/run-operation.ts';
import type { Incidents, Outbox } from '../../functions/incidents/ports.ts';
import { memoryChannels } from '../../functions/memory/channels.ts';
import { memoryExecutions } from '../../functions/memory/executions.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { type MemorySignalQueue, memorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { consumers, stepNamed } from '../../functions/tasks.ts';
import { startPump } from '../../lab/incident/pump.ts';
import { runMachine } from '../../lab/machine-runner.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';

/** Nothing waits so long in a measurement: what an execution waits for is not looked at any more. */
const longWaitMs = 1_200_000;

export interface Pipeline {
  readonly queue: MemorySignalQueue;
  readonly incidents: Incidents;
  readonly outbox: Outbox;
  stop(): Promise<void>;
}

/** From the queue to the channel: the deployed consumers, machine and steps over twins in memory, on the machine's own clock. */
export function pipeline(operations: Operations): Pipeline {
  const region = operations.regions.primary;
  const clock = systemClock;
  const store = memoryItemStore(clock);
  const queue = memorySignalQueue({ clock });
  const channels = memoryChannels(clock);
  const machine = synthesizedMachines(operations).find(({ name }) => name === 'escalate-incident');
  if (!machine) throw new TypeError('there is no machine escalate-incident');
  const ends = new AbortController();
  const deadline = () => new Date(clock.now().getTime() + 15 * 60_000);
  const executions = memoryExecutions(store, ({ input }) =>
    runMachine({
      ...{ machine, input, pauseMilliseconds: longWaitMs, signal: ends.signal },
      invoke: (operation, record) => runStep(stepNamed(operation), record, host, deadline()),
    }),
  );
  const ports = memoryPorts({ operations, clock, store, channels, executions, signalQueue: queue });
  const host: Host = { ports, operations, region, clock, log: silentLogger, codeSha256: '0'.repeat(64) };
  const pumps = consumers.map((consumer) => startPump({ consumer, queue, host: () => host, isUp: () => true }));
  return {
    queue,
    incidents: ports.incidents,
    outbox: ports.outbox,
    async stop() {
      await Promise.all(pumps.map((pump) => pump.stop()));
      ends.abort();
      await executions.settled();
    },
  };
}
