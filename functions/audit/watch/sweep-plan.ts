import { TILE_WIDTH } from '../log/models.ts';
import { tileWidth } from '../log/tile-paths.ts';
import type { AuthenticLog } from './authentic-log.ts';
import { leafIn } from './judge-event.ts';

/** One tile or entry bundle, in all the widths in which it is stored. */
export interface StoredTile {
  /** Path of the full one, without the generation's prefix. */
  readonly path: string;
  /** 0 for bundles and for tiles of their hashes. */
  readonly level: number;
  readonly index: number;
  /** Ascending; 256 is the full one. */
  readonly widths: readonly number[];
}

const TILE_PATH = /^tile\/(?<level>\d{1,2}|entries)\/(?<index>(?:x\d{3}\/)*\d{3})(?:\.p\/(?<width>\d{1,3}))?$/;

/** What a path of the log is of; undefined for one that is no tile and no bundle. */
export function tileAt(
  path: string,
): { readonly full: string; readonly level: number; readonly index: number; readonly width: number } | undefined {
  const { level, index, width } = TILE_PATH.exec(path)?.groups ?? {};
  if (level === undefined || index === undefined) return undefined;
  return {
    full: `tile/${level}/${index}`,
    level: level === 'entries' ? 0 : Number(level),
    index: Number(index.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
}

/**
 * Widths that nobody needs any more: those that are narrower than the one in a tree that has stood for two days, once that one or a wider one is stored. A reader who took an
 * older checkpoint had two days to read it. What is as wide or wider is never removed, so nothing of the present checkpoint's tree is.
 *
 * @param size of a tree that has stood for so long; no more than the present one's
 * @returns ascending: the oldest first, so that it is safe to stop anywhere
 */
export function removableWidths({ level, index, widths }: StoredTile, size: number): readonly number[] {
  const needed = tileWidth(size, level, index);
  if (!widths.some((width) => width >= needed)) return [];
  return widths.filter((width) => width < needed).sort((a, b) => a - b);
}

/** Paths of a log, ascending, as tiles with all their widths: neighbours in that order are of one tile. */
export async function* storedTiles(paths: AsyncIterable<string>): AsyncGenerator<StoredTile> {
  let tile: (StoredTile & { readonly widths: number[] }) | undefined;
  for await (const path of paths) {
    const found = tileAt(path);
    if (!found) continue;
    if (tile?.path !== found.full) {
      if (tile) yield tile;
      tile = { path: found.full, level: found.level, index: found.index, widths: [] };
    }
    tile.widths.push(found.width);
  }
  if (tile) yield tile;
}

/**
 * Entries at the beginning of a log that were recorded by `time`: they were in the tree within moments of it. Reads as many bundles as their number has binary digits.
 *
 * @throws LogRewritten, LogDamaged
 */
export async function sizeAt(log: Pick<AuthenticLog, 'bundles' | 'entries'>, time: Date): Promise<number> {
  const isOld = (entry: Uint8Array | undefined) => {
    const leaf = entry && leafIn(entry);
    return leaf?.format !== 'codeblue-audit-leaf/1' || new Date(leaf.recordedAt) <= time; // a predecessor's has no time, and comes first
  };
  let [from, until] = [0, log.bundles];
  while (from < until) {
    const middle = Math.floor((from + until) / 2);
    const [first] = await log.entries(middle);
    if (isOld(first)) from = middle + 1;
    else until = middle;
  }
  if (from === 0) return 0;
  const entries = await log.entries(from - 1);
  const young = entries.findIndex((entry) => !isOld(entry));
  return (from - 1) * TILE_WIDTH + (young < 0 ? entries.length : young);
}
