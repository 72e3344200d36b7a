import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { NoteRefused } from '../../../functions/audit/errors.ts';
import { openNote, parseCheckpoint } from '../../../functions/audit/log/checkpoint.ts';
import type { Checkpoint } from '../../../functions/audit/log/models.ts';
import type { LogRef } from '../../../functions/audit/watch/finding.ts';
import { InvalidInput, messageOf } from '../../../functions/common/errors.ts';
import { Region } from '../../../functions/common/ids.ts';
import { logFiles } from './log-files.ts';

/** A log whose checkpoint was signed by a key that is believed. */
export interface SignedLog {
  readonly directory: string;
  readonly ref: LogRef;
  readonly note: string;
  readonly verifierKey: string;
  readonly checkpoint: Checkpoint;
}

/** Where one is, and why nothing in it counts. */
export interface RefusedLog {
  readonly directory: string;
  readonly refused: string;
}

/**
 * The logs of a copied bucket, oldest generation first; or the one generation that the directory itself is.
 *
 * @throws InvalidInput when there is none
 */
export async function copiedLogs(directory: string, keys: readonly string[]): Promise<readonly (SignedLog | RefusedLog)[]> {
  const hasCheckpoint = (each: string) => existsSync(join(each, 'checkpoint'));
  const directories = hasCheckpoint(directory) ? [directory] : directoriesIn(directory).filter(hasCheckpoint);
  if (directories.length === 0)
    throw new InvalidInput(`there is no log in ${directory}`, {
      hint: 'Wanted: what a bucket of a log holds: a directory for each generation (1, 2, ...) with checkpoint and tile/ in it, or one of these.',
    });
  return Promise.all(directories.map((each) => openLog(each, keys)));
}

/** In the order of their numbers. */
function directoriesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(directory, name))
      .sort((a, b) => Number(basename(a)) - Number(basename(b)));
  } catch (cause) {
    throw new InvalidInput(`cannot read ${directory}: ${messageOf(cause)}`, { hint: 'Name an existing directory.', cause });
  }
}

async function openLog(directory: string, keys: readonly string[]): Promise<SignedLog | RefusedLog> {
  const note = Buffer.from((await logFiles(directory)('checkpoint')) ?? []).toString('utf8');
  const opened = openedBy(keys, note);
  if ('refused' in opened) return { directory, ...opened };
  const { origin } = opened.checkpoint;
  const [, name, generation] = /\/([^/]+)\/([1-9]\d*)$/.exec(origin) ?? [];
  const region = Region.safeParse(name);
  if (!region.success) return { directory, refused: `${origin} is the origin of no log of Codeblue's` };
  return { directory, note, ref: { region: region.data, generation: Number(generation) }, ...opened };
}

/** The checkpoint in a note by the first key that signed it. */
export function openedBy(
  keys: readonly string[],
  note: string,
): { readonly verifierKey: string; readonly checkpoint: Checkpoint } | { readonly refused: string } {
  const refusals: string[] = [];
  for (const verifierKey of keys) {
    try {
      return { verifierKey, checkpoint: openNote(note, verifierKey) };
    } catch (error) {
      if (!(error instanceof NoteRefused)) throw error;
      refusals.push(error.message);
    }
  }
  return { refused: `no key that was given signed its checkpoint${originIn(note)}: ${refusals.join('; ')}` };
}

function originIn(note: string): string {
  try {
    return `, which says that it is of ${parseCheckpoint(`${note.split('\n\n')[0]}\n`).origin}`;
  } catch {
    return '';
  }
}
