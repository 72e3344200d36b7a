import { reap } from './reap.ts';

/**
 * A process of its own that outlives the lab by a moment. Its standard input is a pipe whose other end only the lab holds:
 * when the lab ends in whatever way, `kill -9` included, the pipe closes and everything below the directory goes.
 */
const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: reaper.ts <directory of the lab>');
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});
process.stdin.on('error', () => {});
process.stdin.on('close', () => reap(dir));
process.stdin.resume();
