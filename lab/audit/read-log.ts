import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PredecessorLeaf } from '../../functions/audit/events/leaf.ts';
import { entriesIn } from '../../functions/audit/log/bundles.ts';
import { openNote } from '../../functions/audit/log/checkpoint.ts';
import { type Checkpoint, TILE_WIDTH } from '../../functions/audit/log/models.ts';
import { rootAt } from '../../functions/audit/log/proofs.ts';
import { bundlePath, tileWidth } from '../../functions/audit/log/tile-paths.ts';
import { systemCode } from '../errors.ts';

const Entry = z.looseObject({ eventId: z.string().optional() });
const GENERATION = /^[1-9]\d*$/;

/** One log as its files are. */
export interface LogOnDisk {
  readonly checkpoint: Checkpoint;
  /** Ids of the events in it, in order; empty text where an entry is of no event. */
  readonly eventIds: readonly string[];
  /** What its first entry commits to, where it follows another log. */
  readonly predecessor?: PredecessorLeaf;
}

/** All logs of a Region as their files are, the oldest first. @param dir `auditLogDir` */
export const readLogs = (dir: string): readonly LogOnDisk[] =>
  readdirSync(dir)
    .filter((name) => GENERATION.test(name) && existsSync(join(dir, name, 'checkpoint')))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => readLog(join(dir, name)));

/** Reads every entry that the checkpoint promises. @throws what is missing */
export function readLog(dir: string): LogOnDisk {
  const checkpoint = openNote(readFileSync(join(dir, 'checkpoint'), 'utf8'), verifierKeyIn(dir));
  const eventIds: string[] = [];
  let predecessor: PredecessorLeaf | undefined;
  for (let index = 0; index * TILE_WIDTH < checkpoint.size; index += 1) {
    const width = tileWidth(checkpoint.size, 0, index);
    const bundle = fileIn(dir, bundlePath(index, width)) ?? fileIn(dir, bundlePath(index));
    if (!bundle) throw new TypeError(`${bundlePath(index, width)} is missing`);
    const entries: unknown[] = entriesIn(bundle)
      .slice(0, width)
      .map((entry) => JSON.parse(Buffer.from(entry).toString()));
    if (index === 0) predecessor = PredecessorLeaf.safeParse(entries[0]).data;
    eventIds.push(...entries.map((entry) => Entry.parse(entry).eventId ?? ''));
  }
  return { checkpoint, eventIds, ...(predecessor ? { predecessor } : {}) };
}

export const verifierKeyIn = (dir: string): string => readFileSync(join(dir, 'verifier-key'), 'utf8').trim();

/**
 * Checkpoints that were ever published of a log (each version is kept), and those among them that are no beginning of what is there now.
 *
 * @param log directory of the generation
 */
export async function publishedHistory(log: string): Promise<{ readonly published: number; readonly strangers: readonly number[] }> {
  const key = verifierKeyIn(log);
  const { size } = openNote(readFileSync(join(log, 'checkpoint'), 'utf8'), key);
  const versions = join(log, '..', '.versions', String(log.split('/').at(-1)), 'checkpoint');
  const names = readdirSync(versions);
  const strangers: number[] = [];
  for (const name of names) {
    const seen = openNote(readFileSync(join(versions, name), 'utf8'), key);
    const root = seen.size > size ? undefined : await rootAt(async (path) => fileIn(log, path), seen.size, size);
    if (!root || Buffer.compare(root, seen.root) !== 0) strangers.push(seen.size);
  }
  return { published: names.length, strangers };
}

function fileIn(dir: string, path: string): Uint8Array | undefined {
  try {
    return readFileSync(join(dir, path));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
