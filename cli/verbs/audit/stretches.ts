import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Checkpoint } from '../../../functions/audit/log/models.ts';
import { type AuthenticLog, authenticLog } from '../../../functions/audit/watch/authentic-log.ts';
import { stretchesOf, type VerifiedStretch, verifyStretch } from '../../../functions/audit/watch/verify-stretch.ts';
import { logFiles } from './log-files.ts';
import type { StretchWork } from './stretch-worker.ts';

/** What a thread needs to have before it helps: starting one takes as long as hashing a third of it. */
const STRETCHES_A_THREAD = 16;

/**
 * Reads every entry of a log in a directory against its signed root, on this thread and on others where that is quicker. Whoever is free takes the next stretch.
 *
 * @param threads at most so many
 * @param told of each stretch once, in no order
 * @throws LogRewritten, LogDamaged where the root itself does not fit what is there; InvalidInput when a file cannot be read
 */
export async function verifyTree(
  directory: string,
  checkpoint: Checkpoint,
  threads: number,
  told: (verified: VerifiedStretch) => void,
): Promise<void> {
  const log = await authenticLog(logFiles(directory), checkpoint);
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const workerData: StretchWork = { directory, ...checkpoint, root: Buffer.from(checkpoint.root).toString('base64'), shared };
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
