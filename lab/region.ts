import { createHash, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Region } from '../functions/common/ids.ts';
import { systemCode } from './errors.ts';
import type { PostgresServer } from './postgres/server.ts';

export type RegionRole = 'primary' | 'standby' | 'tertiary';

/** Directories of one region; nothing of it lies elsewhere. */
export interface RegionPaths {
  readonly root: string;
  /** The live server's data directory. */
  readonly data: string;
  /** Archive of the live server's log: one per node, never shared. */
  readonly archive: string;
  readonly snapshots: string;
  /** Locked copies. */
  readonly vault: string;
  readonly restored: string;
  readonly objects: string;
  readonly keys: string;
}

export function regionPaths(labDir: string, region: Region): RegionPaths {
  const root = join(labDir, region);
  const below = (name: string): string => join(root, name);
  return {
    root,
    data: below('data'),
    archive: below('archive'),
    snapshots: below('snapshots'),
    vault: below('vault'),
    restored: below('restored'),
    objects: below('objects'),
    keys: below('keys'),
  };
}

/** Slot and connection of a region's standby: `us-west-2` becomes `us_west_2`. */
export const standbyName = (region: Region): string => region.replaceAll('-', '_');

/** One local region: a directory and a PostgreSQL server in it. */
export interface LabRegion {
  readonly name: Region;
  readonly role: RegionRole;
  readonly paths: RegionPaths;
  readonly server: PostgresServer;
  /** Of the server; absent where the region has no database. */
  readonly port?: number | undefined;
  /** Of the region's HTTP server; absent in a lab without a network. */
  readonly httpPort?: number | undefined;
}

/** A 256-bit key that lives in one region and encrypts what is stored there. `id` tells keys apart and says nothing about them. */
export interface RegionKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** The region's backup key, made at first use. */
export function regionKey(region: Pick<LabRegion, 'name' | 'paths'>): RegionKey {
  const path = join(region.paths.keys, 'backup.key');
  if (!existsSync(path)) makeOnce(path, randomBytes(32));
  const bytes = readFileSync(path);
  return { id: `lab/${region.name}/${createHash('sha256').update('key id').update(bytes).digest('hex').slice(0, 16)}`, bytes };
}

/** Writes a file that only its owner may read, unless it is there already; of two who try at once one wins and both can read it whole. */
export function makeOnce(path: string, bytes: Uint8Array | string): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  const partial = `${path}.${randomBytes(6).toString('hex')}.partial`;
  writeFileSync(partial, bytes, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(partial, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(partial, { force: true });
  }
}
