/** `node scan-log.ts <directory>`: verifies every entry and every tile of a log against its signed checkpoint; part of bench/audit.ts. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNote } from '../../functions/audit/log/checkpoint.ts';
import { scanLog } from '../../functions/audit/log/scan.ts';
import { systemCode } from '../../lab/errors.ts';

const [, , dir] = process.argv;
if (!dir) throw new TypeError('usage: scan-log.ts <directory>');
const log = join(dir, '1');
const checkpoint = openNote(readFileSync(join(log, 'checkpoint'), 'utf8'), readFileSync(join(log, 'verifier-key'), 'utf8').trim());
/** A file of this machine: waiting for a thread of the pool takes longer than reading it. */
const read = async (path: string): Promise<Uint8Array | undefined> => {
  try {
    return readFileSync(join(log, path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};
const began = performance.now();
const { entries, found } = await scanLog(read, checkpoint.size, { root: checkpoint.root });
const seconds = (performance.now() - began) / 1000;
if (found > 0 || entries !== checkpoint.size) throw new Error(`${found} findings in a sound log, ${entries} entries read`);
console.log(JSON.stringify({ seconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
