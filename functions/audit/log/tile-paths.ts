import { InvalidInput } from '../../common/errors.ts';
import { TILE_WIDTH } from './models.ts';

/** Highest level that C2SP tlog-tiles has a path for. */
const HIGHEST_LEVEL = 63;

/**
 * Path of a tile of hashes after C2SP tlog-tiles, without the generation's prefix: `tile/0/x001/x234/067`, and `tile/1/000.p/17` where it is partial.
 *
 * @param width hashes in it, 256 where it is full
 * @throws InvalidInput
 */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  if (!Number.isInteger(level) || level < 0 || level > HIGHEST_LEVEL)
    throw new InvalidInput(`a tile's level is 0 to ${HIGHEST_LEVEL}, not ${level}`);
  return `tile/${level}/${numbered(index, width)}`;
}

/** Path of an entry bundle: `tile/entries/x001/x234/067`. @param width entries in it, 256 where it is full. @throws InvalidInput */
export function bundlePath(index: number, width: number = TILE_WIDTH): string {
  return `tile/entries/${numbered(index, width)}`;
}

/** 1234067 as `x001/x234/067`. */
function numbered(index: number, width: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new InvalidInput(`${index} is not the index of a tile`);
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH)
    throw new InvalidInput(`a tile is 1 to ${TILE_WIDTH} wide, not ${width}`);
  let path = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** Hashes in a tile of a tree of `size` entries; 0 where the tree has no such tile. */
export function tileWidth(size: number, level: number, index: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Levels of tiles that a tree of `size` entries has. */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / TILE_WIDTH)) levels += 1;
  return levels;
}
