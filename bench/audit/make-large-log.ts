/** `node make-large-log.ts <events> <directory>`: part of bench/audit.ts. */
import { hospitalLines } from '../../lab/audit/hospital-events.ts';
import { benchLog, TAKEN_AT_A_TIME } from './bench-log.ts';

const [, , count, dir] = process.argv;
if (!count || !dir) throw new TypeError('usage: make-large-log.ts <events> <directory>');
const log = benchLog(dir);
const began = performance.now();
for (let from = 0; from < Number(count); from += TAKEN_AT_A_TIME) {
  await log.take(hospitalLines(1, from, Math.min(TAKEN_AT_A_TIME, Number(count) - from), new Date()));
  if ((from / TAKEN_AT_A_TIME) % 4 === 3) await log.sequence();
}
await log.sequence();
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000 }));
