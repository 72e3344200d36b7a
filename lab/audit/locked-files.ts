import { createHash, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AuditObjects, Keeping } from '../../functions/audit/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import { after, type Duration, days } from '../../functions/common/duration.ts';
import { Conflict, InvalidInput, Locked } from '../../functions/common/errors.ts';
import { systemCode } from '../errors.ts';
import { withFileLock } from '../store/file-lock.ts';

/** What the next batch replaces by another path is locked for so long. */
const SUPERSEDED_LOCK = days(2);

/** Where versions lie that something newer has taken the place of. */
const VERSIONS = '.versions';

/**
 * A bucket with Object Lock as plain files below one directory, at the paths that the port names: any tool for tlog-tiles reads the log from there. As on file systems that
 * write once, a file's time says until when it is kept. Files appear whole, and every version of the one path that changes stays below `.versions`.
 */
export class LockedFiles {
  readonly #dir: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #kept: Duration;

  /** @param kept how long what is `kept` cannot be removed */
  constructor(dir: string, clock: Pick<Clock, 'now'>, kept: Duration) {
    this.#dir = dir;
    this.#clock = clock;
    this.#kept = kept;
  }

  get(path: string): Uint8Array | undefined {
    try {
      return new Uint8Array(readFileSync(this.#file(path)));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** @throws Conflict when other bytes are stored there */
  create(path: string, bytes: Uint8Array, keeping: Keeping): void {
    const known = this.get(path) ?? this.#link(path, bytes, keeping);
    if (known && Buffer.compare(known, bytes) !== 0) throw new Conflict(`${path} is stored already with other content; it is immutable`);
  }

  /** @returns false, and changes nothing, where `previous` is not what stands there */
  replace(path: string, bytes: Uint8Array, previous: Uint8Array | undefined): boolean {
    return withFileLock(join(this.#dir, `${path}.lock`), () => {
      const known = this.get(path);
      if (known === undefined ? previous !== undefined : !previous || Buffer.compare(known, previous) !== 0) return false;
      const partial = this.#partial(path, bytes, 'kept');
      this.#keepVersion(path, partial, bytes);
      renameSync(partial, this.#file(path));
      return true;
    });
  }

  /** Paths under a prefix, ascending. */
  list(prefix: string): readonly string[] {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    return this.#below(folder)
      .filter((path) => path.startsWith(prefix))
      .sort();
  }

  /** @throws Locked while its lock lasts */
  removeSuperseded(path: string): void {
    if (!/\.p\/\d+$/.test(path)) throw new InvalidInput(`${path} is no partial tile: nothing else is ever removed`);
    const found = statSync(this.#file(path), { throwIfNoEntry: false });
    if (found && found.mtimeMs > this.#clock.now().getTime()) throw new Locked(`${path} is locked until ${found.mtime.toISOString()}`);
    rmSync(this.#file(path), { force: true });
  }

  /** @returns the bytes that were first, where somebody else's were */
  #link(path: string, bytes: Uint8Array, keeping: Keeping): Uint8Array | undefined {
    const partial = this.#partial(path, bytes, keeping);
    try {
      linkSync(partial, this.#file(path));
      return undefined;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      return this.get(path);
    } finally {
      rmSync(partial, { force: true });
    }
  }

  /** Named by content: the same version noted twice is one. */
  #keepVersion(path: string, partial: string, bytes: Uint8Array): void {
    const version = join(this.#dir, VERSIONS, path, createHash('sha256').update(bytes).digest('hex'));
    mkdirSync(dirname(version), { recursive: true, mode: 0o700 });
    try {
      linkSync(partial, version);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }

  #partial(path: string, bytes: Uint8Array, keeping: Keeping): string {
    const partial = `${this.#file(path)}.${randomBytes(6).toString('hex')}.partial`;
    const write = () => writeFileSync(partial, bytes, { mode: 0o600, flag: 'wx' });
    try {
      write();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      mkdirSync(dirname(partial), { recursive: true, mode: 0o700 });
      write();
    }
    const until = after(this.#clock.now(), keeping === 'kept' ? this.#kept : SUPERSEDED_LOCK);
    utimesSync(partial, until, until);
    return partial;
  }

  #below(folder: string): readonly string[] {
    try {
      return readdirSync(this.#file(folder), { withFileTypes: true }).flatMap((entry) => {
        const path = `${folder}${entry.name}`;
        if (entry.isDirectory()) return entry.name === VERSIONS ? [] : this.#below(`${path}/`);
        return /\.(partial|lock)(\.\d+)?$/.test(entry.name) ? [] : [path];
      });
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  /** @throws InvalidInput for a path that leads out of here */
  #file(path: string): string {
    if (path.split('/').some((part) => part === '..')) throw new InvalidInput(`"${path}" is no path of an object`);
    return join(this.#dir, path);
  }
}

/** The port over one directory: the log of one Region, which `region` of `get` and `list` is taken to be. For judges and benches; the lab has several. */
export function auditObjectsIn(files: LockedFiles): AuditObjects {
  return {
    get: async (_, path) => files.get(path),
    create: async (path, bytes, keeping) => files.create(path, bytes, keeping),
    publishCheckpoint: async (path, note, previous) => files.replace(path, note, previous),
    async *list(_, prefix) {
      yield* files.list(prefix);
    },
    removeSuperseded: async (path) => files.removeSuperseded(path),
  };
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '');
