import type { ReadObject } from './append.ts';
import { bundleLength, entriesIn } from './bundles.ts';
import { leafHashesOf } from './merkle.ts';
import { HASH_BYTES, TILE_WIDTH } from './models.ts';
import { type ScanFinding, type TileCheck, tileCheck } from './tile-check.ts';
import { bundlePath, tileLevels, tilePath, tileWidth } from './tile-paths.ts';

/** Findings that are listed; more are counted. A log of which everything is wrong must not fill the memory. */
const FINDINGS_LIMIT = 1000;

export interface ScanOptions {
  /** Root of the checkpoint; the judge of the right edge. */
  readonly root?: Uint8Array;
  /** Entries before this one are not read again: their hashes are taken from the tiles. Rounded down to a whole bundle. */
  readonly from?: number;
  /** Gets every entry, in order, a bundle at a time; what is read next waits for it. Views that are good for this call. */
  readonly onEntries?: (first: number, entries: readonly Uint8Array[]) => void | Promise<void>;
  /** Bundles that are being read at a time. */
  readonly concurrency?: number;
}

export interface Scan {
  /** Root of what was read. It proves something only when there is no finding: where a bundle is missing, its hashes are taken from the tile above it. */
  readonly root: Uint8Array;
  /** Entries that were read. */
  readonly entries: number;
  /** The first 1000. */
  readonly findings: readonly ScanFinding[];
  /** How many there are. */
  readonly found: number;
}

/** What stands under a path, or the one thing that is wrong with it. */
interface Loaded {
  readonly bytes?: Uint8Array;
  readonly wrong?: ScanFinding;
}

/** All that is read for one bundle: it, its tile of level 0, and the tiles above that begin with it. */
interface Stretch {
  readonly bundle: Loaded;
  readonly tiles: readonly { readonly level: number; readonly index: number; readonly tile: Loaded }[];
}

/**
 * Reads every entry bundle and every tile of a tree once, from the left, computes each tile from what is below it, and tells every object that is not what it must be. Keeps
 * one tile of each level and the bundles that are being read, whatever the size of the tree.
 *
 * @param size entries in the tree of the checkpoint
 * @throws what `read` throws
 */
export async function scanLog(read: ReadObject, size: number, options: ScanOptions = {}): Promise<Scan> {
  const { root, from = 0, onEntries, concurrency = 16 } = options;
  const findings: ScanFinding[] = [];
  let found = 0;
  const report = (finding: ScanFinding) => {
    found += 1;
    if (findings.length < FINDINGS_LIMIT) findings.push(finding);
  };
  const check = tileCheck(size, root, report);
  const first = Math.max(0, Math.min(Math.floor(from / TILE_WIDTH), Math.ceil(size / TILE_WIDTH) - 1));
  let entries = 0;
  for await (const { bundle, tiles, index } of stretches(read, size, first, concurrency)) {
    for (const { level, index: tile, tile: loaded } of tiles) {
      if (loaded.wrong) report(loaded.wrong);
      check.open(level, tile, loaded.bytes, level === 0 ? 0 : Math.floor(index / TILE_WIDTH ** (level - 1)) - tile * TILE_WIDTH);
    }
    if (bundle.wrong) report(bundle.wrong);
    entries += addBundle(check, bundle.bytes, tiles.find(({ level }) => level === 0)?.tile.bytes, tileWidth(size, 0, index));
    if (onEntries && bundle.bytes) await onEntries(index * TILE_WIDTH, entriesIn(bundle.bytes));
  }
  return { root: check.finish(), entries, findings, found };
}

/** @returns entries that were hashed */
function addBundle(check: TileCheck, bundle: Uint8Array | undefined, tile: Uint8Array | undefined, width: number): number {
  if (bundle) check.fill(0, leafHashesOf(bundle, width));
  else if (tile) check.fill(0, tile);
  else for (let entry = 0; entry < width; entry += 1) check.add(0, new Uint8Array(HASH_BYTES), true);
  return bundle ? width : 0;
}

/** Reads ahead, `concurrency` bundles at a time, and gives them in order. */
async function* stretches(
  read: ReadObject,
  size: number,
  first: number,
  concurrency: number,
): AsyncGenerator<Stretch & { readonly index: number }> {
  const bundles = Math.ceil(size / TILE_WIDTH);
  const ahead: Promise<Stretch>[] = [];
  let next = first;
  for (let index = first; index < bundles; index += 1) {
    for (; next < bundles && ahead.length < Math.max(1, concurrency); next += 1) {
      const stretch = readStretch(read, size, next, next === first);
      stretch.catch(() => undefined); // told when its turn comes; until then it is nobody's
      ahead.push(stretch);
    }
    const stretch = await ahead.shift();
    if (stretch) yield { ...stretch, index };
  }
}

async function readStretch(read: ReadObject, size: number, bundle: number, isFirst: boolean): Promise<Stretch> {
  const above = Array.from({ length: tileLevels(size) }, (_, level) => ({ level, index: Math.floor(bundle / TILE_WIDTH ** level) })).filter(
    ({ level, index }) => (isFirst || bundle % TILE_WIDTH ** level === 0) && tileWidth(size, level, index) > 0,
  );
  const [loaded, ...tiles] = await Promise.all([
    loadBundle(read, bundle, tileWidth(size, 0, bundle)),
    ...above.map(async ({ level, index }) => ({ level, index, tile: await loadTile(read, level, index, tileWidth(size, level, index)) })),
  ]);
  return { bundle: loaded, tiles };
}

async function loadTile(read: ReadObject, level: number, index: number, width: number): Promise<Loaded> {
  const path = tilePath(level, index, width);
  const [bytes, hashes] = await partialOrFull(read, path, tilePath(level, index), width);
  if (!bytes) return { wrong: { path, what: 'missing', says: 'is missing' } };
  if (bytes.length !== hashes * HASH_BYTES)
    return { wrong: { path, what: 'malformed', says: `has ${bytes.length} bytes instead of ${hashes * HASH_BYTES}` } };
  return { bytes: bytes.subarray(0, width * HASH_BYTES) };
}

async function loadBundle(read: ReadObject, index: number, width: number): Promise<Loaded> {
  const path = bundlePath(index, width);
  const [bytes, entries] = await partialOrFull(read, path, bundlePath(index), width);
  if (!bytes) return { wrong: { path, what: 'missing', says: 'is missing' } };
  const length = lengthOf(bytes, entries);
  if (length === undefined) return { wrong: { path, what: 'malformed', says: `does not hold ${entries} entries: it ends before` } };
  if (length !== bytes.length)
    return { wrong: { path, what: 'malformed', says: `holds ${bytes.length - length} bytes after its ${entries} entries` } };
  return { bytes: entries === width ? bytes : bytes.subarray(0, bundleLength(bytes, width)) };
}

/** With the width that the object must have. */
async function partialOrFull(
  read: ReadObject,
  path: string,
  fullPath: string,
  width: number,
): Promise<readonly [Uint8Array | undefined, number]> {
  const partial = await read(path);
  return partial || width === TILE_WIDTH ? [partial, width] : [await read(fullPath), TILE_WIDTH];
}

function lengthOf(bundle: Uint8Array, entries: number): number | undefined {
  try {
    return bundleLength(bundle, entries);
  } catch {
    return undefined;
  }
}
