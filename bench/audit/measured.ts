import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Measured {
  readonly seconds: number;
  /** Most memory that it had at a time. */
  readonly megabytes: number;
  /** What else it told. */
  readonly says: string;
}

/** What a program may have of the machine. */
export type Cores = 'one' | 'all';

/** Pins to the second processor where that can be done: the first one has the interrupts. */
const pin = process.platform === 'linux' && spawnSync('taskset', ['-c', '1', 'true']).status === 0 ? ['taskset', '-c', '1'] : [];

/** Runs a script of bench/. @param words its name below bench/, then its words @throws when it fails */
export const script = ([name = '', ...words]: readonly string[], cores: Cores = 'one'): Promise<Measured> =>
  measured(process.execPath, [fileURLToPath(new URL(`../${name}`, import.meta.url)), ...words], cores);

/**
 * Runs a program. Where its last line is a JSON object with `seconds`, those count (without its start); else the time that it took as a whole.
 *
 * @throws Error when it fails
 */
export async function measured(program: string, words: readonly string[], cores: Cores = 'one'): Promise<Measured> {
  const [command = program, ...more] = [...(cores === 'one' ? pin : []), program, ...words];
  const began = performance.now();
  const child = spawn(command, more, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(cores === 'one' ? { GOMAXPROCS: '1' } : {}) },
  });
  const said: string[] = [];
  const complained: string[] = [];
  let peakKilobytes = 0;
  const watch = setInterval(() => {
    peakKilobytes = Math.max(peakKilobytes, peakOf(child.pid));
  }, 50);
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => complained.push(text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(watch));
  if (status !== 0 || complained.join('').includes('fsck failed')) throw new Error(`${program} failed: ${complained.join('').slice(-500)}`);
  const took = (performance.now() - began) / 1000;
  const told: { seconds?: number; megabytes?: number; says?: string } = said.length > 0 ? JSON.parse(said.join('')) : {};
  return { seconds: told.seconds ?? took, megabytes: told.megabytes ?? peakKilobytes / 1024, says: told.says ?? '' };
}

/** VmHWM of a process: the most that it ever had, so that looking late misses nothing. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // over already, or no such thing on this platform
  }
}
