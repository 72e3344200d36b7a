import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reap } from './reap.ts';

const guarded = new Set<string>();
let installed = false;

/**
 * Makes sure that nothing of the lab in `dir` outlives this process, however it ends: a signal, an error nobody caught,
 * `process.exit`, or `kill -9` (then the reaper does it). Call it before the first process or file is made there.
 *
 * @returns call it when the lab has been stopped in order; it ends the reaper
 */
export function guard(dir: string): () => void {
  install();
  guarded.add(dir);
  const reaper = spawn(process.execPath, [fileURLToPath(new URL('./reaper.ts', import.meta.url)), dir], {
    cwd: parse(dir).root,
    env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot },
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own session: Ctrl-C and a closing terminal do not reach it.
    detached: true,
    windowsHide: true,
  });
  reaper.on('error', () => {});
  reaper.stdin?.on('error', () => {});
  // Neither the process nor the pipe keeps this one running.
  reaper.unref();
  if (reaper.stdin instanceof Socket) reaper.stdin.unref();
  return () => {
    guarded.delete(dir);
    reaper.stdin?.end();
  };
}

/** Once a process. Signals turn into an exit, and the exit does the work: while it runs, a second Ctrl-C is not even seen. */
function install(): void {
  if (installed) return;
  installed = true;
  process.on('exit', () => {
    for (const dir of guarded) reap(dir);
  });
  const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
  process.on('SIGHUP', () => process.exit(exitCodes.SIGHUP));
  process.on('SIGINT', () => process.exit(exitCodes.SIGINT));
  process.on('SIGTERM', () => process.exit(exitCodes.SIGTERM));
}
