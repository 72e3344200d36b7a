import { generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesIn } from '../../functions/audit/log/bundles.ts';
import { checkpointText, parseCheckpoint, signedNote } from '../../functions/audit/log/checkpoint.ts';
import { HASH_BYTES, TILE_WIDTH } from '../../functions/audit/log/models.ts';
import { bundlePath, tileLevels, tilePath, tileWidth } from '../../functions/audit/log/tile-paths.ts';

/** Somebody with write access to the files of a log, whatever its locks say: what each kind of harm does to a copy that nobody needs. */
export const harms = {
  'entry-changed': {
    says: 'one digit of an entry changed',
    /** In an entry somewhere in the middle. */
    do: (log: string, size: number) => changeBytes(log, bundleOfEntry(size, Math.floor(size / 2)), changedEntry),
  },
  'tile-changed': {
    says: 'one bit of a tile of hashes changed',
    do: (log: string, size: number) => changeBytes(log, tileOfEntry(size, Math.floor(size / 3)), flippedBit),
  },
  'entries-cut': {
    says: 'the last entries removed below the checkpoint',
    do: (log: string, size: number) => removeLastEntries(log, size),
  },
  'other-key': {
    says: 'a checkpoint signed by another key',
    do: (log: string) => signAgain(log),
  },
} as const satisfies Record<string, { readonly says: string; readonly do: (log: string, size: number) => void }>;

export type Harm = keyof typeof harms;
export const harmNames: readonly Harm[] = ['entry-changed', 'tile-changed', 'entries-cut', 'other-key'];

function bundleOfEntry(size: number, entry: number): string {
  const index = Math.floor(entry / TILE_WIDTH);
  return bundlePath(index, tileWidth(size, 0, index));
}

function tileOfEntry(size: number, entry: number): string {
  const index = Math.floor(entry / TILE_WIDTH);
  return tilePath(0, index, tileWidth(size, 0, index));
}

function changeBytes(log: string, path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(join(log, path));
  change(bytes);
  writeFileSync(join(log, path), bytes);
}

/** The first digit of the first entry's commitment becomes another one: the entry stays well formed. */
function changedEntry(bundle: Buffer): void {
  const [entry] = entriesIn(bundle);
  const place = bundle.indexOf('"commitment":"');
  if (!entry || place < 0) throw new TypeError('the bundle has no entry of an event');
  const digit = place + '"commitment":"'.length;
  bundle[digit] = bundle[digit] === 0x30 ? 0x31 : 0x30;
}

function flippedBit(tile: Buffer): void {
  tile.writeUInt8(tile.readUInt8(HASH_BYTES / 2) ^ 1, HASH_BYTES / 2);
}

/** The last bundle and every tile that stands for it, in whichever widths they are there. */
function removeLastEntries(log: string, size: number): void {
  const last = Math.floor((size - 1) / TILE_WIDTH);
  remove(log, bundlePath(last));
  for (let level = 0; level < tileLevels(size); level += 1) {
    const index = Math.max(0, Math.ceil(Math.floor(size / TILE_WIDTH ** level) / TILE_WIDTH) - 1);
    remove(log, tilePath(level, index));
  }
}

function remove(log: string, path: string): void {
  if (!existsSync(join(log, path)) && !existsSync(join(log, `${path}.p`))) throw new TypeError(`there is no ${path} to remove`);
  rmSync(join(log, path), { force: true });
  rmSync(join(log, `${path}.p`), { recursive: true, force: true });
}

/** The same words under the same name, by a key that is not the log's. */
function signAgain(log: string): void {
  const path = join(log, 'checkpoint');
  const [text = ''] = readFileSync(path, 'utf8').split('\n\n');
  const checkpoint = parseCheckpoint(`${text}\n`);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const words = checkpointText(checkpoint);
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-HASH_BYTES);
  writeFileSync(path, signedNote(words, checkpoint.origin, raw, sign(null, Buffer.from(words), privateKey)));
}
