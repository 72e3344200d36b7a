import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { explainFileError, LabUnavailable, systemCode } from './errors.ts';
import { isAlive } from './postgres/processes.ts';
import { reap } from './reap.ts';
import { readState } from './state.ts';

/** All labs of one user lie below one directory, so that `codeblue --lab` finds them. */
function labsDir(): string {
  const user = process.getuid?.() ?? userInfo().username;
  return join(tmpdir(), `codeblue-lab-${user}`);
}

/** Root's servers run as another account, which must be able to walk through to its own files. */
const dirMode = process.getuid?.() === 0 ? 0o711 : 0o700;
const UNCLAIMED_MS = 60_000;

/**
 * Makes the directory of a new lab and marks it as this process's own. Leftovers of labs whose process is gone are removed.
 * @throws LabUnavailable when the directory for temporary files cannot be used
 */
export function createLabDir(base = labsDir()): string {
  try {
    makeBase(base);
    const { uid } = lstatSync(base);
    const me = process.getuid?.();
    if (!lstatSync(base).isDirectory() || (me !== undefined && uid !== me)) {
      throw new LabUnavailable(`${base} belongs to somebody else`, { hint: 'Remove it, or point TMPDIR at a directory of your own.' });
    }
    removeStale(base);
    const dir = mkdtempSync(join(base, 'run-'));
    chmodSync(dir, dirMode);
    writeFileSync(join(dir, 'owner.pid'), String(process.pid));
    return dir;
  } catch (error) {
    throw explainFileError(error, base);
  }
}

/** Not recursive: below a file system that refuses (such as /proc), Node's recursive mkdir tries forever. */
function makeBase(base: string): void {
  try {
    mkdirSync(base, { mode: dirMode });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Directory of the newest lab that runs, if any. */
export const findRunningLab = (base = labsDir()): string | undefined => runningLabs(base)[0];

/** Directories of this user's labs that run, the newest first. */
export function runningLabs(base = labsDir()): readonly string[] {
  return runs(base)
    .filter((dir) => isOwned(dir))
    .flatMap((dir) => {
      const state = readState(dir);
      return state ? [{ dir, startedAt: state.startedAt }] : [];
    })
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .map(({ dir }) => dir);
}

function removeStale(base: string): void {
  for (const dir of runs(base)) if (!isOwned(dir)) reap(dir);
}

function runs(base: string): readonly string[] {
  try {
    return readdirSync(base)
      .filter((name) => name.startsWith('run-'))
      .map((name) => join(base, name));
  } catch {
    return [];
  }
}

/** Whether the process that made it still runs. A directory so new that it names nobody yet counts as owned. */
function isOwned(dir: string): boolean {
  try {
    return isAlive(Number(readFileSync(join(dir, 'owner.pid'), 'utf8')));
  } catch {
    try {
      return Date.now() - statSync(dir).mtimeMs < UNCLAIMED_MS;
    } catch {
      return false;
    }
  }
}
