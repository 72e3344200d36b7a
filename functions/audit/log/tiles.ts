import { LogDamaged } from '../errors.ts';
import type { ReadObject } from './append.ts';
import { bundleLength } from './bundles.ts';
import { HASH_BYTES, TILE_WIDTH } from './models.ts';
import { bundlePath, tilePath, tileWidth } from './tile-paths.ts';

/**
 * The hashes that a tile holds in the tree of `size` entries. A partial tile may be gone once the full one is there (C2SP tlog-tiles): its hashes are the first ones of that.
 *
 * @throws LogDamaged when neither is there, or its length is wrong
 */
export async function readTile(read: ReadObject, level: number, index: number, size: number): Promise<Uint8Array> {
  const width = tileWidth(size, level, index);
  const path = tilePath(level, index, width);
  const { bytes, from } = await partialOrFull(read, path, tilePath(level, index), width);
  if (bytes.length !== (from === path ? width : TILE_WIDTH) * HASH_BYTES)
    throw new LogDamaged(`${from} has ${bytes.length} bytes, which is not the length of a tile of its width`);
  return bytes.subarray(0, width * HASH_BYTES);
}

/**
 * The entries that a bundle holds in the tree of `size` entries, as a bundle: see `readTile`.
 *
 * @throws LogDamaged
 */
export async function readBundle(read: ReadObject, index: number, size: number): Promise<Uint8Array> {
  const width = tileWidth(size, 0, index);
  const path = bundlePath(index, width);
  const { bytes } = await partialOrFull(read, path, bundlePath(index), width);
  return bytes.subarray(0, bundleLength(bytes, width));
}

async function partialOrFull(read: ReadObject, path: string, fullPath: string, width: number) {
  const partial = await read(path);
  if (partial) return { bytes: partial, from: path };
  const full = width === TILE_WIDTH ? undefined : await read(fullPath);
  if (full) return { bytes: full, from: fullPath };
  throw new LogDamaged(`${path} is missing, and no full one stands in its place`);
}
