/** `node verify-copy.ts <directory>`: what `codeblue audit verify --log` does, without the start of Node; part of bench/audit.ts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyCopy } from '../../cli/verbs/audit/verify-copy.ts';

const [, , dir] = process.argv;
if (!dir) throw new TypeError('usage: verify-copy.ts <directory>');
const began = performance.now();
const keyFile = [join(dir, '1', 'verifier-key')];
const { holds, logs } = await verifyCopy(dir, { keyFile }, { readFile: (path) => readFile(path, 'utf8') }, () => {});
const seconds = (performance.now() - began) / 1000;
if (!holds || logs.some(({ entries, checkpoint }) => entries !== checkpoint?.size))
  throw new Error(`findings in a sound log: ${JSON.stringify(logs)}`);
console.log(JSON.stringify({ seconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
