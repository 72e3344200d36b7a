import { InvalidInput } from '../../common/errors.ts';
import { LogDamaged } from '../errors.ts';
import { TILE_WIDTH } from './models.ts';

/** Longest entry that a bundle's length of two bytes can tell. */
const ENTRY_LIMIT_BYTES = 0xff_ff;
const LENGTH_BYTES = 2;

/**
 * Entries as C2SP tlog-tiles stores them: each after its length, big-endian uint16.
 *
 * @param entries 1 to 256
 * @throws InvalidInput when there are more, or when one is longer than 65535 bytes
 */
export function bundleOf(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length > TILE_WIDTH) throw new InvalidInput(`a bundle holds ${TILE_WIDTH} entries, not ${entries.length}`);
  const bundle = Buffer.allocUnsafe(entries.reduce((bytes, entry) => bytes + LENGTH_BYTES + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > ENTRY_LIMIT_BYTES)
      throw new InvalidInput(`an entry has at most ${ENTRY_LIMIT_BYTES} bytes, this one has ${entry.length}`);
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** Views of the entries of a bundle, in order. @throws LogDamaged when its last entry is cut off */
export function entriesIn(bundle: Uint8Array): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = endOfEntry(bundle, at);
    entries.push(bundle.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return entries;
}

/** Bytes that the first `entries` of a bundle take. @throws LogDamaged when it holds fewer */
export function bundleLength(bundle: Uint8Array, entries: number): number {
  let at = 0;
  for (let entry = 0; entry < entries; entry += 1) at = endOfEntry(bundle, at);
  return at;
}

function endOfEntry(bundle: Uint8Array, at: number): number {
  const [high, low] = [bundle[at], bundle[at + 1]];
  const end = high === undefined || low === undefined ? Number.POSITIVE_INFINITY : at + LENGTH_BYTES + high * 256 + low;
  if (end > bundle.length) throw new LogDamaged(`the bundle ends within the entry that begins at its byte ${at}`);
  return end;
}
