import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Conflict } from '../../functions/common/errors.ts';
import { type LabRegion, makeOnce, regionKey } from '../region.ts';
import { sealBytes, unsealBytes } from '../snapshots/cipher.ts';

/** Small immutable objects of a region, encrypted under its key. `name` may have folders. */
export class SealedFiles {
  readonly #region: LabRegion;
  readonly #dir: string;

  constructor(region: LabRegion, folder: string) {
    this.#region = region;
    this.#dir = join(region.paths.objects, folder);
  }

  /** Storing the same again is no error. @throws Conflict when other bytes are stored under this name */
  put(name: string, bytes: Uint8Array): void {
    makeOnce(join(this.#dir, name), sealBytes(bytes, regionKey(this.#region).bytes));
    if (!this.get(name)?.equals(bytes)) throw new Conflict(`other bytes are stored as ${name} already; they are immutable`);
  }

  /** @throws DamagedObject when the bytes were changed */
  get(name: string): Buffer | undefined {
    const path = join(this.#dir, name);
    return existsSync(path) ? unsealBytes(readFileSync(path), regionKey(this.#region).bytes) : undefined;
  }

  names(): readonly string[] {
    return existsSync(this.#dir) ? readdirSync(this.#dir).filter((name) => !name.endsWith('.partial')) : [];
  }

  /** Names of files in folders too, with forward slashes. */
  allNames(): readonly string[] {
    if (!existsSync(this.#dir)) return [];
    return readdirSync(this.#dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.partial'))
      .map((entry) => relative(this.#dir, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  }
}
