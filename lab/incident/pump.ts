import { setTimeout as wait } from 'node:timers/promises';
import type { AnyConsumer } from '../../functions/common/consumer.ts';
import { runConsumer } from '../../functions/handlers/run-consumer.ts';
import type { Host } from '../../functions/handlers/run-operation.ts';
import type { MemorySignalQueue } from '../../functions/memory/signal-queue.ts';

const POLL_MS = 20;

export interface Pump {
  /** Resolves when no run goes on any more. */
  stop(): Promise<void>;
}

export interface PumpOptions {
  readonly consumer: AnyConsumer;
  readonly queue: MemorySignalQueue;
  /** As a run of this Region has it, until its Region dies. */
  readonly host: () => Host;
  readonly isUp: () => boolean;
}

/** Lambda's event source of one queue: as many runs side by side as the consumer allows, each with a batch that waited for its window at most. */
export function startPump({ consumer, queue, host, isUp }: PumpOptions): Pump {
  const ends = new AbortController();
  const { signal } = ends;
  const pause = (milliseconds: number): Promise<unknown> => wait(milliseconds, undefined, { signal }).catch(() => {});
  let gathering = false;

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const hasWork = isUp() && !gathering && queue.visibleFrom(consumer.queue) !== undefined;
      if (!hasWork) {
        await pause(POLL_MS);
        continue;
      }
      gathering = true; // one poller fills a batch at a time
      const until = performance.now() + consumer.batchWindow * 1000;
      while (!signal.aborted && performance.now() < until && queue.depth(consumer.queue) < consumer.batchSize) await pause(POLL_MS);
      gathering = false;
      if (signal.aborted) return;
      const deadline = new Date(host().clock.now().getTime() + consumer.timeout * 1000);
      const delivered = await queue.deliver(consumer.queue, consumer.batchSize, (event) => runConsumer(consumer, event, host(), deadline));
      if (delivered === 0) await pause(POLL_MS);
    }
  };
  const runs = Array.from({ length: consumer.concurrency }, run);
  return {
    async stop() {
      ends.abort();
      await Promise.all(runs);
    },
  };
}
