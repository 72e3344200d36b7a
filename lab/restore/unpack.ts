import { chown, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresServer } from '../postgres/server.ts';
import type { RegionKey } from '../region.ts';
import { DamagedObject } from '../snapshots/cipher.ts';
import { readObject } from '../snapshots/object.ts';
import { CONTENTS_FILE } from '../snapshots/sidecar.ts';

/** Files up to this size are collected and written beside one another; larger ones stream. */
const collectBytes = 1 << 20;
/** Making a file costs the kernel up to a millisecond, and a cluster has more than a thousand: several at a time. */
const atOnce = 16;

/**
 * Unpacks a stored snapshot into a server's empty data directory. At most 16 files of up to 1 MB are in memory.
 * @throws DamagedObject when the object's bytes are not the ones that were stored
 */
export async function unpackSnapshot(object: string, key: RegionKey, server: PostgresServer, signal: AbortSignal): Promise<void> {
  const { user } = server.runtime;
  const directory = async (path: string): Promise<void> => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (user) await chown(path, user.uid, user.gid);
  };
  const write = async (path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> => {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      if (user) await file.chown(user.uid, user.gid);
    } finally {
      await file.close();
    }
  };
  const writing = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const later = (work: Promise<void>): void => {
    const settled = work.catch((error: unknown) => void failures.push(error)).finally(() => writing.delete(settled));
    writing.add(settled);
  };

  await directory(server.dataDir);
  try {
    await readObject(object, key, async ({ name, isDirectory, size, bytes }) => {
      signal.throwIfAborted();
      if (name === CONTENTS_FILE) return;
      // Nothing is proven before the last byte was read: a forged name must not lead out of the directory.
      if (!/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(name) || name.split('/').includes('..')) {
        throw new DamagedObject('an entry of the object has an impossible name');
      }
      const path = join(server.dataDir, name);
      if (isDirectory) return directory(path);
      if (size > collectBytes) return write(path, bytes());
      later(write(path, await Array.fromAsync(bytes())));
      if (writing.size >= atOnce) await Promise.race(writing);
      if (failures.length > 0) throw failures[0];
    });
  } finally {
    await Promise.all(writing);
  }
  if (failures.length > 0) throw failures[0];
}
