import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type GoProgram, installed, installGoProgram } from './go-program.ts';

/** Of the Go module github.com/transparency-dev/tessera. */
export const TESSERA = '1.0.4';

const tesseraFsck: GoProgram = {
  name: 'fsck',
  version: TESSERA,
  says: `Tessera's fsck ${TESSERA}`,
  package: 'github.com/transparency-dev/tessera/cmd/fsck',
  requires: [`github.com/transparency-dev/tessera v${TESSERA}`],
};
/** A worker of it ends at the first thing that it refuses, and with the last one it would wait for ever: more than a tampered copy has wrong objects. */
const WORKERS = 8;
const PATIENCE_MS = 300_000;

/** Where the judge is, when it was installed before. */
export const installedFsck = (): string | undefined => installed(tesseraFsck);

/** Builds Tessera's fsck below dist/judges/, once. @returns where it is, or why it cannot be had */
export const installFsck = (): string | { readonly reason: string } => installGoProgram(tesseraFsck);

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
