import type { Keeping } from '../ports.ts';
import { bundleLength, bundleOf } from './bundles.ts';
import { emptyRoot, leafHashesOf, rootOf } from './merkle.ts';
import { HASH_BYTES, TILE_WIDTH } from './models.ts';
import { bundlePath, tileLevels, tilePath, tileWidth } from './tile-paths.ts';
import { readBundle, readTile } from './tiles.ts';

/** An object of one log by its path without the generation's prefix; undefined where there is none. */
export type ReadObject = (path: string) => Promise<Uint8Array | undefined>;

/**
 * What of a tree the next entries change: its partial bundle and its partial tiles. A few kilobytes, whatever the size of the tree.
 */
export interface RightEdge {
  /** Entries in the tree. */
  readonly size: number;
  /** The last `size mod 256` entries, as a bundle. */
  readonly bundle: Uint8Array;
  /** Hashes of the partial tile of each level, the lowest level first; empty where the level's last tile is full. */
  readonly tiles: readonly Uint8Array[];
}

/** An object of the log, under its path without the generation's prefix. */
export interface LogObject {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Full ones are kept; a partial one is superseded by what the next batch makes of it. */
  readonly keeping: Keeping;
}

export interface Appended {
  readonly size: number;
  /** Root of the tree of that size, 32 bytes. */
  readonly root: Uint8Array;
  readonly edge: RightEdge;
  /** Everything that the new tree has and the old one had not, each once. Storing them in any order, and twice, comes to the same. */
  readonly objects: readonly LogObject[];
}

export const emptyEdge: RightEdge = { size: 0, bundle: new Uint8Array(), tiles: [] };

/**
 * The right edge of a stored tree of `size` entries.
 *
 * @throws LogDamaged when an object of it is missing
 */
export async function readRightEdge(read: ReadObject, size: number): Promise<RightEdge> {
  const last = Math.floor(size / TILE_WIDTH);
  const levels = Array.from({ length: tileLevels(size) }, (_, level) => level);
  const [bundle, ...tiles] = await Promise.all([
    size % TILE_WIDTH === 0 ? emptyEdge.bundle : readBundle(read, last, size),
    ...levels.map((level) => {
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      return tileWidth(size, level, index) === 0 ? new Uint8Array() : readTile(read, level, index, size);
    }),
  ]);
  return { size, bundle: bundle.subarray(0, bundleLength(bundle, size % TILE_WIDTH)), tiles };
}

/**
 * The tree with `entries` after those that it has. The same tree, and the same full tiles and bundles, however the entries are split into batches.
 *
 * @throws InvalidInput when an entry is longer than 65535 bytes
 */
export function append(tree: RightEdge, entries: readonly Uint8Array[]): Appended {
  const size = tree.size + entries.length;
  if (entries.length === 0) return { size, root: rootOfEdge(tree), edge: tree, objects: [] };
  const { objects, leaves, bundle } = appendToBundles(tree, entries);
  const tiles: Uint8Array[] = [];
  for (let level = 0, added: Uint8Array = leaves; added.length > 0 || level < tree.tiles.length; level += 1) {
    const grown = appendToLevel(level, Math.floor(tree.size / TILE_WIDTH ** (level + 1)), tree.tiles[level] ?? new Uint8Array(), added);
    objects.push(...grown.objects);
    tiles.push(grown.rest);
    added = grown.roots;
  }
  const edge = { size, bundle, tiles };
  return { size, root: rootOfEdge(edge), edge, objects };
}

/** Root of the tree that ends in this edge: each level's partial tile, and after it what is left over of the levels below. */
export function rootOfEdge({ tiles }: Pick<RightEdge, 'tiles'>): Uint8Array {
  let below: Uint8Array | undefined;
  for (const tile of tiles) {
    if (tile.length > 0) below = rootOf(below ? Buffer.concat([tile, below]) : tile);
  }
  return below ?? emptyRoot;
}

/** The bundles that the entries go into, the first of them after the entries that stand there already, and the hashes of the new entries. */
function appendToBundles(tree: RightEdge, entries: readonly Uint8Array[]) {
  const objects: LogObject[] = [];
  const leaves: Uint8Array[] = [];
  let bundle = tree.bundle;
  for (let from = 0; from < entries.length; ) {
    const width = (tree.size + from) % TILE_WIDTH;
    const some = entries.slice(from, from + TILE_WIDTH - width);
    const added = bundleOf(some);
    leaves.push(leafHashesOf(added, some.length));
    const index = Math.floor((tree.size + from) / TILE_WIDTH);
    const bytes = width === 0 ? added : Buffer.concat([bundle, added]);
    objects.push(logObject(bundlePath(index, width + some.length), bytes, width + some.length));
    bundle = width + some.length === TILE_WIDTH ? new Uint8Array() : bytes;
    from += some.length;
  }
  return { objects, leaves: leaves.length === 1 && leaves[0] ? leaves[0] : Buffer.concat(leaves), bundle };
}

/** One level's tiles with new hashes at its end: the full ones and the partial one that came of it, and the roots of the full ones, for the level above. */
function appendToLevel(level: number, first: number, partial: Uint8Array, added: Uint8Array) {
  if (added.length === 0) return { objects: [], roots: added, rest: partial };
  const hashes = partial.length === 0 ? added : Buffer.concat([partial, added]);
  const objects: LogObject[] = [];
  const roots: Uint8Array[] = [];
  const full = Math.floor(hashes.length / HASH_BYTES / TILE_WIDTH);
  for (let tile = 0; tile < full; tile += 1) {
    const bytes = hashes.subarray(tile * TILE_WIDTH * HASH_BYTES, (tile + 1) * TILE_WIDTH * HASH_BYTES);
    objects.push(logObject(tilePath(level, first + tile), bytes, TILE_WIDTH));
    roots.push(rootOf(bytes));
  }
  const rest = hashes.subarray(full * TILE_WIDTH * HASH_BYTES);
  const width = rest.length / HASH_BYTES;
  if (width > 0) objects.push(logObject(tilePath(level, first + full, width), rest, width));
  return { objects, roots: Buffer.concat(roots), rest };
}

const logObject = (path: string, bytes: Uint8Array, width: number): LogObject => ({
  path,
  bytes,
  keeping: width === TILE_WIDTH ? 'kept' : 'superseded',
});
