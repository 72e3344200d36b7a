import { chownSync, closeSync, fchownSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '../postgres/server.ts';
import type { RegionKey } from '../region.ts';
import { DamagedObject } from '../snapshots/cipher.ts';
import { readObject } from '../snapshots/object.ts';
import { CONTENTS_FILE } from '../snapshots/sidecar.ts';

/**
 * Unpacks a stored snapshot into a server's empty data directory.
 * @throws DamagedObject when the object's bytes are not the ones that were stored
 */
export async function unpackSnapshot(object: string, key: RegionKey, server: PostgresServer, signal: AbortSignal): Promise<void> {
  const { user } = server.runtime;
  const directory = (path: string): void => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (user) chownSync(path, user.uid, user.gid);
  };
  directory(server.dataDir);
  await readObject(object, key, async ({ name, isDirectory, bytes }) => {
    signal.throwIfAborted();
    if (name === CONTENTS_FILE) return;
    // Nothing is proven before the last byte was read: a forged name must not lead out of the directory.
    if (!/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(name) || name.split('/').includes('..')) {
      throw new DamagedObject('an entry of the object has an impossible name');
    }
    const path = join(server.dataDir, name);
    if (isDirectory) return directory(path);
    const file = openSync(path, 'wx', 0o600);
    try {
      // Synchronous, as in the packer: many small files.
      for await (const chunk of bytes()) writeSync(file, chunk);
      if (user) fchownSync(file, user.uid, user.gid);
    } finally {
      closeSync(file);
    }
  });
}
