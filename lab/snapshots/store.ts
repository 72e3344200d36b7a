import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Snapshot } from '../../functions/backup/models.ts';
import { InvalidInput, Locked, NotOwned } from '../../functions/common/errors.ts';
import { DatabaseId } from '../../functions/common/ids.ts';
import { systemCode } from '../errors.ts';
import { isAlive } from '../postgres/processes.ts';
import type { LabRegion } from '../region.ts';
import { Sidecar } from './sidecar.ts';

/** A snapshot that is being written, or that could not be: `<id>.partial/job.json`. */
const Job = z.strictObject({
  status: z.enum(['creating', 'failed']),
  /** The process that writes it. When that is gone, so is the snapshot. */
  pid: z.int().positive(),
  captured: z.boolean(),
  createdAt: z.iso.datetime(),
  databaseId: DatabaseId,
  engineVersion: z.string(),
  keyId: z.string(),
  tags: z.strictObject({ owner: z.string() }),
  reason: z.string().optional(),
});
export type Job = z.output<typeof Job>;

/**
 * Snapshots of one region: a directory each with the encrypted object and its sidecar. A snapshot appears under its id by one rename, when
 * it is complete; until then it is `<id>.partial`, which counts only while the process that writes it lives.
 */
export class SnapshotStore {
  readonly region: LabRegion;
  readonly #dir: string;

  constructor(region: LabRegion, dir = region.paths.snapshots) {
    this.region = region;
    this.#dir = dir;
  }

  objectPath(id: string): string {
    return join(this.#path(id), 'object');
  }

  partialObjectPath(id: string): string {
    return join(this.#partial(id), 'object');
  }

  /** Claims an id for this process. False when a snapshot, complete, failed or still being written, has it. */
  begin(id: string, job: Omit<Job, 'status' | 'pid' | 'captured'>): boolean {
    if (this.#sidecar(id) || this.#job(id)) return false;
    rmSync(this.#partial(id), { recursive: true, force: true });
    try {
      mkdirSync(this.#partial(id), { mode: 0o700 });
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    this.#writeJob(id, { ...job, status: 'creating', pid: process.pid, captured: false });
    return true;
  }

  update(id: string, change: Partial<Job>): void {
    const job = this.#job(id);
    if (job) this.#writeJob(id, { ...job, ...change });
  }

  commit(id: string, sidecar: Sidecar): void {
    writeFileSync(join(this.#partial(id), 'sidecar.json'), `${JSON.stringify(Sidecar.parse(sidecar))}\n`, { mode: 0o600 });
    rmSync(join(this.#partial(id), 'job.json'));
    renameSync(this.#partial(id), this.#path(id));
  }

  /** The sidecar of a complete snapshot, whoever owns it. */
  sidecar(id: string): Sidecar | undefined {
    return this.#sidecar(id);
  }

  /** True when the id's directory is there but its sidecar cannot be read. */
  isUnreadable(id: string): boolean {
    return existsSync(this.#path(id)) && this.#sidecar(id) === undefined;
  }

  describe(id: string, owner: string): Snapshot | undefined {
    const sidecar = this.#sidecar(id);
    if (sidecar) {
      if (sidecar.tags.owner !== owner) return undefined;
      const { createdAt, sizeBytes, keyId, contents } = sidecar;
      const { databaseId, engineVersion } = contents;
      const facts = { databaseId, engineVersion, createdAt: new Date(createdAt), sizeBytes, keyId };
      return { region: this.region.name, snapshotId: id, status: 'available', captured: true, encrypted: true, ...facts };
    }
    const job = this.#job(id);
    if (!job || job.tags.owner !== owner) return undefined;
    const { status, captured, databaseId, engineVersion, keyId } = job;
    const facts = { status, captured, databaseId, engineVersion, keyId, createdAt: new Date(job.createdAt) };
    return { region: this.region.name, snapshotId: id, sizeBytes: 0, encrypted: true, ...facts };
  }

  /** Why it failed. */
  reason(id: string): string | undefined {
    return this.#job(id)?.reason;
  }

  list(owner: string): readonly Snapshot[] {
    const ids = new Set(readdirSync(this.#dir).map((name) => name.replace(/\.partial$/, '')));
    return [...ids].sort().flatMap((id) => this.describe(id, owner) ?? []);
  }

  /** @throws NotOwned, Locked */
  remove(id: string, owner: string, now: Date): void {
    const tags = (this.#sidecar(id) ?? this.#job(id))?.tags;
    const lockedUntil = this.#sidecar(id)?.lockedUntil;
    if (tags && tags.owner !== owner) throw new NotOwned(`snapshot ${id} belongs to ${tags.owner}, not to ${owner}`);
    if (lockedUntil !== undefined && Date.parse(lockedUntil) > now.getTime())
      throw new Locked(`snapshot ${id} is locked until ${lockedUntil}`);
    // Renamed first: a removal that is interrupted leaves nothing that looks like a snapshot.
    const doomed = `${this.#partial(id)}.removed`;
    if (existsSync(this.#path(id))) renameSync(this.#path(id), doomed);
    for (const path of [doomed, this.#partial(id)]) rmSync(path, { recursive: true, force: true });
  }

  #sidecar(id: string): Sidecar | undefined {
    return readJson(join(this.#path(id), 'sidecar.json'), Sidecar);
  }

  /** Undefined also when its process ended without finishing. */
  #job(id: string): Job | undefined {
    const job = readJson(join(this.#partial(id), 'job.json'), Job);
    return job?.status === 'creating' && !isAlive(job.pid) ? undefined : job;
  }

  #writeJob(id: string, job: Job): void {
    const path = join(this.#partial(id), 'job.json');
    writeFileSync(`${path}.new`, JSON.stringify(job), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  #path(id: string): string {
    if (!/^[a-z0-9][a-z0-9-]{0,200}$/.test(id)) throw new InvalidInput(`"${id}" cannot be the id of a snapshot`);
    return join(this.#dir, id);
  }

  #partial(id: string): string {
    return `${this.#path(id)}.partial`;
  }
}

function readJson<S extends z.ZodType>(path: string, schema: S): z.output<S> | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
