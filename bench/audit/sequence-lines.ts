/** `node sequence-lines.ts hash|node|all|sequence <file with an event a line> <directory>`: part of bench/audit.ts; prints how long it took without reading the file. */
import { createHash, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BATCH_LIMIT } from '../../functions/audit/log/models.ts';
import { benchLog, TAKEN_AT_A_TIME } from './bench-log.ts';

const [, , what, file, dir] = process.argv;
if (!what || !file || !dir) throw new TypeError('usage: sequence-lines.ts hash|node|all|sequence <file> <directory>');
const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
const log = benchLog(dir);
const take = async (from: number): Promise<void> => {
  for (let at = from; at < Math.min(lines.length, from + BATCH_LIMIT); at += TAKEN_AT_A_TIME)
    await log.take(lines.slice(at, Math.min(at + TAKEN_AT_A_TIME, from + BATCH_LIMIT)));
};

let counted = 0;
const began = performance.now();
for (let from = 0; from < lines.length; from += BATCH_LIMIT) {
  if (what === 'hash') {
    const batch = lines.slice(from, from + BATCH_LIMIT);
    const at = performance.now();
    for (const line of batch) createHash('sha256').update(line).digest();
    counted += performance.now() - at;
    continue;
  }
  if (what === 'node') {
    const batch = lines.slice(from, from + BATCH_LIMIT);
    const at = performance.now();
    for (const line of batch) hash('sha256', JSON.stringify(JSON.parse(line)), 'hex');
    counted += performance.now() - at;
    continue;
  }
  if (what === 'all') {
    await take(from);
    await log.sequence();
    continue;
  }
  await take(from); // recorded before the clock runs
  const at = performance.now();
  await log.sequence();
  counted += performance.now() - at;
}
const milliseconds = what === 'all' ? performance.now() - began : counted;
console.log(JSON.stringify({ entries: lines.length, seconds: milliseconds / 1000 }));
