import { Worker } from 'node:worker_threads';
import type { Failure, Progress, Work } from './seeds-worker.ts';

export interface Tally {
  played: number;
  /** Epochs that were claimed, or checkpoints that were published. */
  moved: number;
  events: number;
  readonly failures: Failure[];
}

/**
 * Plays seeds `from` to `from + count` on so many threads.
 *
 * @param stopAtFirst each thread stops at its first violation, and those that are beyond it stop too
 */
export async function playSeeds(
  {
    from,
    count,
    threads,
    ...work
  }: Omit<Work, 'from' | 'until' | 'stride'> & { readonly from: number; readonly count: number; readonly threads: number },
  onProgress: (tally: Tally) => void = () => {},
): Promise<Tally> {
  const tally: Tally = { played: 0, moved: 0, events: 0, failures: [] };
  const workers = Array.from({ length: Math.min(threads, count) }, (_, index) => {
    const workerData: Work = { ...work, from: from + index, until: from + count, stride: Math.min(threads, count) };
    return new Worker(new URL('./seeds-worker.ts', import.meta.url), { workerData });
  });
  const each = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('message', ({ played, moved, events, failures }: Progress) => {
          tally.played += played;
          tally.moved += moved;
          tally.events += events;
          tally.failures.push(...failures);
          onProgress(tally);
          if (work.stopAtFirst && tally.failures.length > 0) void Promise.all(workers.map((other) => other.terminate()));
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      }),
  );
  await Promise.all(each);
  tally.failures.sort((a, b) => a.seed - b.seed);
  return tally;
}
