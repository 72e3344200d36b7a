import { createHash } from 'node:crypto';
import { closeSync, cpSync, openSync, readSync, renameSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SnapshotRef } from '../functions/backup/ports.ts';
import { NotFound } from '../functions/common/errors.ts';
import { regionKey } from './region.ts';
import type { Regions } from './regions.ts';
import { readObject, writeObject } from './snapshots/object.ts';
import { CONTENTS_FILE, type Sidecar } from './snapshots/sidecar.ts';
import { SnapshotStore } from './snapshots/store.ts';

/**
 * Damage to stored backups, as it happens in the world. Part of the lab's fault layer: nothing outside of the lab and the tests
 * uses it.
 */

/** One bit of the stored object, in its middle. */
export function flipStoredBit(regions: Regions, ref: SnapshotRef): void {
  const path = stored(regions, ref).objectPath;
  const file = openSync(path, 'r+');
  try {
    const at = Math.floor(statSync(path).size / 2);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    writeSync(file, Buffer.from([byte.readUInt8() ^ 1]), 0, 1, at);
  } finally {
    closeSync(file);
  }
}

/** The second half of the stored object is gone. */
export function truncateStored(regions: Regions, ref: SnapshotRef): void {
  const path = stored(regions, ref).objectPath;
  truncateSync(path, Math.floor(statSync(path).size / 2));
}

/** What becomes of one file of a backup: other bytes, or undefined when it is to be missing. */
export type Tamper = (name: string, bytes: Buffer) => Buffer | undefined;

/**
 * Repacks a backup with some files changed, and describes the result as if it had always been so: every checksum fits. What the store itself
 * can tell is then silent, and only a restore can find the damage. Holds one file at a time in memory.
 */
export async function rebuild(regions: Regions, ref: SnapshotRef, tamper: Tamper): Promise<void> {
  const { region, objectPath, sidecar, writeSidecar } = stored(regions, ref);
  const key = regionKey(region);
  const partial = `${objectPath}.rebuilt`;
  const files: { name: string; size: number; sha256: string }[] = [];
  const written = await writeObject(partial, key, async (packer) => {
    await readObject(objectPath, key, async ({ name, isDirectory, bytes }) => {
      if (isDirectory) return packer.directory(name);
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes()) chunks.push(chunk);
      if (name === CONTENTS_FILE) return;
      const after = tamper(name, Buffer.concat(chunks));
      if (!after) return;
      files.push({ name, size: after.length, sha256: createHash('sha256').update(after).digest('hex') });
      await packer.bytes(name, after);
    });
    await packer.bytes(CONTENTS_FILE, Buffer.from(JSON.stringify({ ...sidecar.contents, files })));
  });
  renameSync(partial, objectPath);
  writeSidecar({ ...sidecar, ...written, contents: { ...sidecar.contents, files } });
}

/**
 * Puts the bytes of one backup in the place of another, with a description that says it is the other.
 * @param actualRegions where the bytes come from: another lab, for the backup of another database
 */
export async function passOff(regions: Regions, actual: SnapshotRef, as: SnapshotRef, actualRegions = regions): Promise<void> {
  const [from, to] = [stored(actualRegions, actual), stored(regions, as)];
  const key = regionKey(from.region);
  const contents = { ...from.sidecar.contents, takenAs: to.sidecar.contents.takenAs };
  const partial = `${to.objectPath}.passed-off`;
  const written = await writeObject(partial, regionKey(to.region), async (packer) => {
    await readObject(from.objectPath, key, async ({ name, isDirectory, bytes }) => {
      if (isDirectory) return packer.directory(name);
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes()) chunks.push(chunk);
      if (name !== CONTENTS_FILE) await packer.bytes(name, Buffer.concat(chunks));
    });
    await packer.bytes(CONTENTS_FILE, Buffer.from(JSON.stringify(contents)));
  });
  renameSync(partial, to.objectPath);
  to.writeSidecar({ ...to.sidecar, ...written, contents });
}

function stored(regions: Regions, { region: name, snapshotId }: SnapshotRef) {
  const region = regions.use(name);
  const store = new SnapshotStore(region);
  const sidecar = store.sidecar(snapshotId);
  if (!sidecar) throw new NotFound(`there is no complete snapshot ${snapshotId} in ${name}`);
  const objectPath = store.objectPath(snapshotId);
  const writeSidecar = (changed: Sidecar) =>
    writeFileSync(join(dirname(objectPath), 'sidecar.json'), `${JSON.stringify(changed)}\n`, { mode: 0o600 });
  return { region, sidecar, objectPath, writeSidecar };
}

/** Leaves one segment of the log out of a backup. */
export function withoutWal(): Tamper {
  let dropped = false;
  return (name, bytes) => {
    if (dropped || !/^pg_wal\/[0-9A-F]{24}$/.test(name)) return bytes;
    dropped = true;
    return undefined;
  };
}

const pageBytes = 8192;
const damagedPages = 6;

/**
 * One bit in a page of a table's file, in each of a few pages: one that was written to while the backup was taken has a full image in the
 * log and is healed by recovery, rightly.
 */
export const withFlippedPageBit =
  (isTable: (name: string) => boolean): Tamper =>
  (name, bytes) => {
    if (!isTable(name) || bytes.length < pageBytes) return bytes;
    const pages = bytes.length / pageBytes;
    const changed = Buffer.from(bytes);
    for (let part = 0; part < damagedPages; part++) {
      const at = Math.floor((pages * part) / damagedPages) * pageBytes + pageBytes - 100; // rows fill a page from its end
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    }
    return changed;
  };
/** The second half of a table's file, in whole pages, is gone: PostgreSQL takes the rest for the whole. */
export const truncated =
  (isTable: (name: string) => boolean): Tamper =>
  (name, bytes) =>
    isTable(name) && bytes.length >= 2 * pageBytes ? bytes.subarray(0, Math.floor(bytes.length / pageBytes / 2) * pageBytes) : bytes;

/** A snapshot that somebody else owns, made from one of ours. @returns tells later whether it is still there, unchanged */
export function foreignCopy(store: SnapshotStore, id: string): () => boolean {
  const sidecar = store.sidecar(id);
  if (!sidecar) throw new NotFound(`there is no complete snapshot ${id}`);
  const theirs = `${id}-theirs`;
  const directory = dirname(store.objectPath(theirs));
  cpSync(dirname(store.objectPath(id)), directory, { recursive: true });
  writeFileSync(join(directory, 'sidecar.json'), JSON.stringify({ ...sidecar, snapshotId: theirs, tags: { owner: 'somebody-else' } }), {
    mode: 0o600,
  });
  return () => statSync(store.objectPath(theirs), { throwIfNoEntry: false })?.size === sidecar.sizeBytes;
}
