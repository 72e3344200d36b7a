import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, link, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidInput, messageOf } from '../functions/common/errors.ts';

/**
 * Writes a file whole or not at all: beside it first, under its name once everything is on the disk. What is written is asked for only as fast as the disk takes it. Readable by
 * this user alone. Aborted, it leaves nothing, and whoever makes the chunks is told to end.
 *
 * @throws the signal's reason; InvalidInput when it is there already and is not to be replaced (before anything is asked for), or cannot be written; whatever `chunks` throws
 */
export async function writeWholeFile(
  path: string,
  chunks: AsyncIterable<string>,
  { replace, signal }: { readonly replace: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  if (!replace && (await exists(path))) throw alreadyThere(path);
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await pipeline(Readable.from(chunks), createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true }), signal ? { signal } : {});
    if (replace) await rename(partial, path);
    else await link(partial, path);
  } catch (error) {
    signal?.throwIfAborted();
    if (codeOf(error) === 'EEXIST') throw alreadyThere(path);
    if (codeOf(error) === undefined) throw error;
    throw new InvalidInput(`cannot write ${path}: ${messageOf(error)}`, {
      hint: 'Name a file in a directory that you may write to.',
      cause: error,
    });
  } finally {
    await rm(partial, { force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const alreadyThere = (path: string): InvalidInput =>
  new InvalidInput(`${path} is there already`, { hint: 'Name another file, or replace it with --force.' });

/** Of errors of the file system; what the chunks throw has none. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
