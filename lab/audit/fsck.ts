import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Of the Go module github.com/transparency-dev/tessera. */
export const TESSERA = '1.0.4';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = join(root, 'dist', 'judges', `fsck-${TESSERA}`);
const program = join(directory, process.platform === 'win32' ? 'fsck.exe' : 'fsck');
/** A worker of it ends at the first thing that it refuses, and with the last one it would wait for ever: more than a tampered copy has wrong objects. */
const WORKERS = 8;
const PATIENCE_MS = 300_000;

/** Where the judge is, when it was installed before. */
export const installedFsck = (): string | undefined => (existsSync(program) ? program : undefined);

/** Builds Tessera's fsck below dist/judges/, once. @returns where it is, or why it cannot be had */
export function installFsck(): string | { readonly reason: string } {
  if (existsSync(program)) return program;
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) return { reason: 'there is no Go to build fsck with.' };
  console.error(`Building Tessera's fsck ${TESSERA} below dist/judges/ ...`);
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const module = `github.com/transparency-dev/tessera/cmd/fsck@v${TESSERA}`;
  const { status, stderr } = spawnSync('go', ['install', module], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, GOBIN: partial, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
  });
  if (status !== 0) return { reason: `Go cannot build it: ${(stderr ?? '').trim().split('\n').at(-1)}` };
  rmSync(directory, { recursive: true, force: true });
  renameSync(partial, directory);
  return program;
}

export interface FsckVerdict {
  readonly accepted: boolean;
  /** In its own words, shortened. */
  readonly says: string;
}

/**
 * Lets fsck judge a log's files.
 *
 * Its exit code says nothing (0 for a refused log, too, in this version), so its words are the verdict: it must name the log sound, and have no complaint.
 *
 * @param log directory with `checkpoint`, `tile/` and `verifier-key`, which is the key that it judges by
 */
export async function fsck(binary: string, log: string, workers: number = WORKERS): Promise<FsckVerdict> {
  const url = `${pathToFileURL(log).href}/`;
  const words = ['-storage_url', url, '-public_key', join(log, 'verifier-key'), '-ui=false', '-N', String(workers)];
  const child = spawn(binary, words, { stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killed) => resolve([code, killed]));
  });
  const text = said.join('');
  const complaint = /fsck failed: (.*)|^F\d{4} .*\] (.*)/m.exec(text);
  const sound = /Successfully fsck'd log with size (\d+)/.exec(text);
  if (complaint) return { accepted: false, says: (complaint[1] ?? complaint[2] ?? '').slice(0, 100) };
  if (sound && status === 0) return { accepted: true, says: `sound, ${sound[1]} entries` };
  return { accepted: false, says: `it ended with ${signal ?? status} and no verdict` };
}
