import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../postgres/port.ts';
import { type GoProgram, installGoProgram } from './go-program.ts';

const VERSION = '0.0.0-20260701145555-54dbcdd14f82';

const omniwitness: GoProgram = {
  name: 'omniwitness',
  version: VERSION,
  says: `transparency.dev's omniwitness ${VERSION}`,
  package: 'github.com/transparency-dev/witness/cmd/omniwitness',
  requires: [`github.com/transparency-dev/witness v${VERSION}`],
  // The module proxy does not have the one that it names.
  replaces: ['github.com/transparency-dev/formats => github.com/transparency-dev/formats v0.1.2-0.20260710124811-af9e607161b6'],
};

/** Builds the witness of transparency.dev below dist/judges/, once. @returns where it is, or why it cannot be had */
export const installOmniwitness = (): string | { readonly reason: string } => installGoProgram(omniwitness);

const NAME = 'omniwitness.example';
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519 = 0x01;
const ED25519_COSIGNATURE = 0x04;

/** A witness that others wrote, as a process that knows one log. It feeds nothing and asks nobody: it answers. */
export interface Omniwitness {
  readonly url: string;
  readonly verifierKey: string;
  stop(): Promise<void>;
}

/** @param logKey verifier key of the log that it shall know @param dir for its files */
export async function startOmniwitness(binary: string, dir: string, logKey: string): Promise<Omniwitness> {
  mkdirSync(dir, { recursive: true });
  const seed = randomBytes(32);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const keyOf = (type: number, bytes: Uint8Array): string =>
    `${NAME}+${createHash('sha256').update(`${NAME}\n`).update(Buffer.of(type)).update(publicKey).digest('hex').slice(0, 8)}+${Buffer.concat([Buffer.of(type), bytes]).toString('base64')}`;
  writeFileSync(join(dir, 'key'), `PRIVATE+KEY+${keyOf(ED25519, seed)}`, { mode: 0o600 });
  const origin = logKey.slice(0, logKey.indexOf('+'));
  writeFileSync(join(dir, 'logs.yaml'), `Logs:\n  - Origin: ${origin}\n    PublicKey: ${logKey}\n    URL: http://log.invalid/\n`);
  const address = `127.0.0.1:${await freePort()}`;
  const words = ['-listen', address, '-metrics_listen', '', '-db_file', 'seen.db', '-private_key_path', 'key'];
  const child = spawn(binary, [...words, '-additional_logs', 'logs.yaml'], { cwd: dir, stdio: 'ignore' });
  await listening(child, `http://${address}`);
  return { url: `http://${address}`, verifierKey: keyOf(ED25519_COSIGNATURE, publicKey), stop: () => ended(child) };
}

const ATTEMPTS = 200;
const POLL_MS = 50;

/** @throws TypeError when it ends, or nothing answers for ten seconds */
async function listening(child: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS && child.exitCode === null; attempt += 1) {
    const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined);
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await ended(child);
  throw new TypeError('omniwitness does not listen');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
