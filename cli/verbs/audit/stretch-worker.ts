import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { authenticLog } from '../../../functions/audit/watch/authentic-log.ts';
import { logFiles } from './log-files.ts';
import { takeStretches } from './stretches.ts';

/** One thread of several that verify a log. */
const StretchWork = z.object({
  directory: z.string(),
  origin: z.string(),
  size: z.int(),
  root: z.base64(),
  /** An Int32: the stretch that nobody has taken yet. */
  shared: z.instanceof(SharedArrayBuffer),
});
export type StretchWork = z.input<typeof StretchWork>;

const { directory, shared, ...signed } = StretchWork.parse(workerData);
const log = await authenticLog(logFiles(directory), { ...signed, root: Buffer.from(signed.root, 'base64') });
await takeStretches(log, new Int32Array(shared), (verified) => parentPort?.postMessage(verified));
