import { type ReadObject, readRightEdge, rootOfEdge } from '../log/append.ts';
import { bundleLength, entriesIn } from '../log/bundles.ts';
import { leafHashesOf, rootOf } from '../log/merkle.ts';
import { type Checkpoint, HASH_BYTES, TILE_WIDTH } from '../log/models.ts';
import { bundlePath, tileLevels, tilePath, tileWidth } from '../log/tile-paths.ts';
import { readBundle, readTile } from '../log/tiles.ts';
import { LogRewritten } from './errors.ts';

/** A stored log of which nothing is believed that does not hash to the signed root. */
export interface AuthenticLog extends Checkpoint {
  /** Entry bundles of the tree, the last one perhaps partial. */
  readonly bundles: number;
  /** One of them as it is stored. @throws LogRewritten, LogDamaged */
  bundle(index: number): Promise<Uint8Array>;
  /** Entries of one bundle. @throws LogRewritten, LogDamaged */
  entries(bundle: number): Promise<readonly Uint8Array[]>;
  /** Root of the first `size` entries of this very tree. Equal to the root that was seen at that size: the one is the beginning of the other. @throws LogRewritten, LogDamaged */
  rootAt(size: number): Promise<Uint8Array>;
}

/** Tiles that are kept, 8 KB each: reading entries in order comes back to one tile of each level only. */
const keptTiles = 64;

/**
 * Opens the tree under a signed checkpoint from its top: the partial tiles at its right edge must hash to the root, and every other tile to its hash in the tile above
 * it. A root of fewer entries that is computed from such tiles is therefore that of the same tree's beginning: what a consistency proof shows, for the price of the tiles.
 * Entries must hash to their tile of level 0. Having read every bundle, one has authenticated every tile, too, since each stands above some bundle.
 *
 * @param checkpoint as it was signed
 * @throws LogRewritten when the right edge is not that of the checkpoint; LogDamaged when an object of it is missing
 */
export async function authenticLog(read: ReadObject, checkpoint: Checkpoint): Promise<AuthenticLog> {
  const { size, root } = checkpoint;
  const edge = await readRightEdge(read, size);
  if (!isSame(rootOfEdge(edge), root))
    throw new LogRewritten('tile', `at the right edge of the ${size} entries does not hash to the signed root`);
  const kept = new Map<string, Promise<Uint8Array>>();

  async function authenticated(level: number, index: number): Promise<Uint8Array> {
    const bytes = await readTile(read, level, index, size);
    const above = await tile(level + 1, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    if (!isSame(rootOf(bytes), above.subarray(at, at + HASH_BYTES)))
      throw new LogRewritten(tilePath(level, index), 'does not hash to the tile above it');
    return bytes;
  }

  /** A partial tile is one of the right edge; each level has one at most, and the highest has one always. */
  function tile(level: number, index: number): Promise<Uint8Array> {
    if (tileWidth(size, level, index) < TILE_WIDTH) return Promise.resolve(edge.tiles[level] ?? new Uint8Array());
    const key = `${level} ${index}`;
    const found = kept.get(key) ?? authenticated(level, index);
    kept.delete(key);
    kept.set(key, found);
    const [oldest] = kept.keys();
    if (kept.size > keptTiles && oldest !== undefined) kept.delete(oldest);
    return found;
  }

  async function authenticBundle(index: number): Promise<Uint8Array> {
    const width = tileWidth(size, 0, index);
    const [bundle, hashes] = await Promise.all([exactBundle(read, index, size), tile(0, index)]);
    if (isSame(leafHashesOf(bundle, width), hashes)) return bundle;
    throw new LogRewritten(bundlePath(index, width), `does not hash to ${tilePath(0, index, width)}`);
  }

  return {
    ...checkpoint,
    bundles: Math.ceil(size / TILE_WIDTH),
    bundle: authenticBundle,
    entries: async (index) => entriesIn(await authenticBundle(index)),
    async rootAt(older) {
      const tiles = Array.from({ length: tileLevels(older) }, async (_, level) => {
        const index = Math.floor(older / TILE_WIDTH ** (level + 1));
        const width = tileWidth(older, level, index);
        return width === 0 ? new Uint8Array() : (await tile(level, index)).subarray(0, width * HASH_BYTES);
      });
      return rootOfEdge({ tiles: await Promise.all(tiles) });
    },
  };
}

/** A bundle without a byte more than its entries have: what stands behind them is in nobody's hash. */
async function exactBundle(read: ReadObject, index: number, size: number): Promise<Uint8Array> {
  const width = tileWidth(size, 0, index);
  const path = bundlePath(index, width);
  const stored = await read(path);
  if (!stored) return readBundle(read, index, size);
  if (bundleLength(stored, width) !== stored.length) throw new LogRewritten(path, 'goes on after its last entry');
  return stored;
}

export const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
