import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { systemCode } from '../errors.ts';
import { isAlive } from '../postgres/processes.ts';

const PATIENCE_MS = 10_000;

/**
 * Runs `work` while no other process of this machine holds the lock file. Synchronous: within one process nothing can come between.
 * The lock file names its holder and appears whole (a hard link), so the lock of a killed process is seen as such and taken over.
 */
export function withFileLock<T>(path: string, work: () => T): T {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid), { mode: 0o600 });
  const giveUpAt = performance.now() + PATIENCE_MS;
  try {
    while (!tryLock(mine, path)) {
      breakDeadLock(path);
      if (performance.now() > giveUpAt) throw new ServiceUnavailable(`another process holds ${path}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
    try {
      return work();
    } finally {
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function tryLock(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function breakDeadLock(path: string): void {
  const holder = holderOf(path);
  if (holder === undefined || isAlive(holder)) return;
  const taken = `${path}.dead-${process.pid}`;
  try {
    renameSync(path, taken);
    // Somebody else may have broken it and locked anew between our two looks: then it goes back.
    if (holderOf(taken) !== holder) linkSync(taken, path);
  } catch {
    // Broken by somebody else.
  } finally {
    rmSync(taken, { force: true });
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
