import { LogDamaged } from '../errors.ts';
import { tileWidth } from '../log/tile-paths.ts';
import type { AuthenticLog } from './authentic-log.ts';
import { LogRewritten } from './errors.ts';

/** 16 384 entries: some 20 ms of hashing. */
const STRETCH_BUNDLES = 64;

export const stretchesOf = ({ bundles }: Pick<AuthenticLog, 'bundles'>): number => Math.ceil(bundles / STRETCH_BUNDLES);

export interface VerifiedStretch {
  /** Which one, from 0. */
  readonly stretch: number;
  /** Entries that hash to the signed root. */
  readonly entries: number;
  /** What is wrong, each thing once, in the order of the log. */
  readonly wrong: readonly string[];
}

/**
 * Reads the entries of one stretch against the signed root. What is wrong is told, and the rest is read all the same; what is below a wrong tile cannot be judged and is not counted.
 *
 * @throws what `read` throws
 */
export async function verifyStretch(log: AuthenticLog, stretch: number): Promise<VerifiedStretch> {
  const wrong = new Set<string>();
  let entries = 0;
  for (let bundle = stretch * STRETCH_BUNDLES; bundle < Math.min((stretch + 1) * STRETCH_BUNDLES, log.bundles); bundle += 1) {
    try {
      await log.bundle(bundle);
      entries += tileWidth(log.size, 0, bundle);
    } catch (error) {
      if (!(error instanceof LogRewritten || error instanceof LogDamaged)) throw error;
      wrong.add(error.message);
    }
  }
  return { stretch, entries, wrong: [...wrong] };
}
