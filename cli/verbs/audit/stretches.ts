import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { AuthenticLog } from '../../../functions/audit/watch/authentic-log.ts';
import { stretchesOf, type VerifiedStretch, verifyStretch } from '../../../functions/audit/watch/verify-stretch.ts';
import type { StretchWork } from './stretch-worker.ts';

/** What a thread needs to have before it helps: starting one takes as long as hashing a third of it. */
const STRETCHES_A_THREAD = 16;

/**
 * Reads every entry of a log in a directory against its signed root, on this thread and on others where that is quicker. Whoever is free takes the next stretch.
 *
 * @param log as it was opened in that directory; each other thread opens it for itself
 * @param threads at most so many
 * @param told of each stretch once, in no order
 * @throws InvalidInput when a file cannot be read
 */
export async function verifyTree(
  directory: string,
  log: AuthenticLog,
  threads: number,
  told: (verified: VerifiedStretch) => void,
): Promise<void> {
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const { origin, size, root } = log;
  const workerData: StretchWork = { directory, origin, size, root: Buffer.from(root).toString('base64'), shared };
  const helpers = Math.min(threads, Math.ceil(stretchesOf(log) / STRETCHES_A_THREAD)) - 1;
  const workers = Array.from(
    { length: Math.max(0, helpers) },
    () => new Worker(new URL('./stretch-worker.ts', import.meta.url), { workerData }),
  );
  try {
    await Promise.all([takeStretches(log, new Int32Array(shared), told), ...workers.map((worker) => ended(worker, told))]);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** @param next the stretch that nobody has taken yet; shared by all threads */
export async function takeStretches(log: AuthenticLog, next: Int32Array, told: (verified: VerifiedStretch) => void): Promise<void> {
  const stretches = stretchesOf(log);
  for (let stretch = Atomics.add(next, 0, 1); stretch < stretches; stretch = Atomics.add(next, 0, 1)) {
    told(await verifyStretch(log, stretch));
    await setImmediate(); // files are read at once, so nothing else had its turn
  }
}

function ended(worker: Worker, told: (verified: VerifiedStretch) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', told);
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
