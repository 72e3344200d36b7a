import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end. @returns what it printed @throws with its last line of complaint */
export async function run(program: string, words: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, words, { encoding: 'utf8' });
  return stdout;
}

/** Starts a program that stays; what it prints goes to the end of `logFile`. */
export function start(program: string, words: readonly string[], logFile = '/dev/null'): ChildProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(program, words, { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' }, stdio: ['ignore', log, log] });
  closeSync(log);
  child.on('error', () => {});
  return child;
}

/**
 * Asks again and again until there is an answer.
 * @param what  named in the error
 * @throws when none came within `patienceMs`
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  patienceMs = 60_000,
  everyMs = 20,
): Promise<T> {
  for (const giveUpAt = performance.now() + patienceMs; ; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAt) throw new Error(`${what} did not happen within ${patienceMs / 1000} s`);
    await wait(everyMs);
  }
}
