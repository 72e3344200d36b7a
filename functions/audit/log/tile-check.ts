import { emptyRoot, rootOf } from './merkle.ts';
import { HASH_BYTES, TILE_WIDTH } from './models.ts';
import { bundlePath, tilePath, tileWidth } from './tile-paths.ts';

/** One object of a log that is not what it must be. */
export interface ScanFinding {
  /** Without the generation's prefix. */
  readonly path: string;
  /** `undecided`: it and what is below it disagree, and nothing above says which of them is right. */
  readonly what: 'missing' | 'malformed' | 'altered' | 'undecided';
  /** Which entry (of the log, counted from 0), where one alone is wrong. */
  readonly entry?: number;
  readonly says: string;
}

/** A tile that is being put together out of what is below it. */
interface Level {
  readonly index: number;
  readonly width: number;
  /** As it is stored; undefined where it is missing or malformed. */
  readonly stored: Uint8Array | undefined;
  readonly computed: Uint8Array;
  /** Positions whose difference was told one level below. */
  readonly told: Set<number>;
  filled: number;
}

/** Roots are compared, and work goes on, whatever is found. */
export interface TileCheck {
  /** The stored tile that comes next on its level; before anything below it. @param kept hashes at its beginning that are taken as they are stored */
  open(level: number, index: number, stored: Uint8Array | undefined, kept?: number): void;
  /** The next hash of a level. @param told whether it is known to be wrong, and was reported */
  add(level: number, hash: Uint8Array, told: boolean): void;
  /** The level's tile as a whole. Same as `add` for each of its hashes. */
  fill(level: number, hashes: Uint8Array): void;
  /** After the last entry: judges the right edge. @returns the root of what was added */
  finish(): Uint8Array;
}

/**
 * Compares each stored tile with the hashes of what is below it, in one pass from the left, keeping one tile of each level (8 KB).
 *
 * Where they differ, the hash in the tile above is the judge: when the stored tile hashes to it, something below was altered; when what is below does, the tile was. A
 * partial tile has none above it: its judge is `root`. A difference is told once, at the lowest place, however far up it is seen.
 *
 * @param root of the checkpoint; without it the right edge cannot be judged
 */
export function tileCheck(size: number, root: Uint8Array | undefined, report: (finding: ScanFinding) => void): TileCheck {
  const levels: Level[] = [];

  function complete(level: number): void {
    const tile = levels[level];
    if (!tile || tile.width < TILE_WIDTH) return;
    const below = rootOf(tile.computed);
    const [judge, position] = [levels[level + 1]?.stored, tile.index % TILE_WIDTH];
    const above = judge?.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
    add(
      level + 1,
      below,
      compare(level, tile, (bytes) => above !== undefined && isSame(rootOf(bytes), above)),
    );
  }

  /** @returns whether what is below is wrong, or may be */
  function compare(level: number, { index, width, stored, computed, told }: Level, isRight: (bytes: Uint8Array) => boolean): boolean {
    if (!stored) return told.size > 0;
    if (isSame(stored, computed)) return false;
    if (isRight(computed)) {
      report({
        path: tilePath(level, index, width),
        what: 'altered',
        says: 'does not hold the hashes of what is below it, and what is below it is what the tile above says',
      });
      return false;
    }
    const certain = isRight(stored);
    for (const position of differences(stored, computed)) {
      if (!told.has(position))
        report(belowOf(size, level, index * TILE_WIDTH + position, certain ? undefined : tilePath(level, index, width)));
    }
    return true;
  }

  function add(level: number, hash: Uint8Array, told: boolean): void {
    const tile = levels[level];
    if (!tile) return;
    tile.computed.set(hash, tile.filled * HASH_BYTES);
    if (told) tile.told.add(tile.filled);
    tile.filled += 1;
    if (tile.filled === TILE_WIDTH) complete(level);
  }

  return {
    add,
    open(level, index, stored, kept = 0) {
      const width = tileWidth(size, level, index);
      const computed = Buffer.alloc(width * HASH_BYTES);
      if (stored) computed.set(stored.subarray(0, kept * HASH_BYTES));
      const told = new Set(stored ? [] : Array.from({ length: kept }, (_, position) => position));
      levels[level] = { index, width, stored, computed, told, filled: kept };
    },
    fill(level, hashes) {
      const tile = levels[level];
      if (!tile) return;
      tile.computed.set(hashes);
      tile.filled = tile.width;
      complete(level);
    },
    finish() {
      const edge = levels.map((tile, level) => (tile.width < TILE_WIDTH && tileWidth(size, level, tile.index) > 0 ? tile : undefined));
      const rootWith = (pick: (tile: Level) => Uint8Array) => edgeRoot(edge.map((tile) => tile && pick(tile)));
      const right = (which: 'stored' | 'computed') =>
        root !== undefined &&
        isSame(
          rootWith((tile) => (which === 'stored' ? tile.stored : undefined) ?? tile.computed),
          root,
        );
      const [storedIsRight, computedIsRight] = [right('stored'), right('computed')];
      edge.forEach((tile, level) => {
        if (tile) compare(level, tile, (bytes) => (bytes === tile.computed ? computedIsRight : storedIsRight));
      });
      return rootWith(({ computed }) => computed);
    },
  };
}

/** What a hash of a tile stands for: an entry, or the tile below. @param disagreesWith the tile that says otherwise and may itself be wrong */
function belowOf(size: number, level: number, index: number, disagreesWith: string | undefined): ScanFinding {
  const what = disagreesWith === undefined ? 'altered' : 'undecided';
  const says =
    disagreesWith === undefined
      ? 'does not hash to what stands above it'
      : `and ${disagreesWith} do not agree, and nothing above says which is right`;
  if (level > 0) return { path: tilePath(level - 1, index), what, says: `${says}: it, or all that is below it` };
  const bundle = Math.floor(index / TILE_WIDTH);
  return { path: bundlePath(bundle, tileWidth(size, 0, bundle)), what, entry: index, says: `its entry ${index} ${says}` };
}

function* differences(stored: Uint8Array, computed: Uint8Array): Generator<number> {
  for (let at = 0; at < computed.length; at += HASH_BYTES)
    if (!isSame(stored.subarray(at, at + HASH_BYTES), computed.subarray(at, at + HASH_BYTES))) yield at / HASH_BYTES;
}

function edgeRoot(tiles: readonly (Uint8Array | undefined)[]): Uint8Array {
  return (
    tiles.reduce<Uint8Array | undefined>(
      (below, tile) => (tile ? rootOf(below ? Buffer.concat([tile, below]) : tile) : below),
      undefined,
    ) ?? emptyRoot
  );
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
