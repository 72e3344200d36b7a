import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { doesNotExpire, type RestoredDatabase } from '../../functions/backup/models.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import { DatabaseId } from '../../functions/common/ids.ts';
import { systemCode } from '../errors.ts';
import { isAlive } from '../postgres/processes.ts';
import { PostgresServer, type Runtime } from '../postgres/server.ts';
import type { LabRegion } from '../region.ts';

/** A restored copy: `restored.json` in its directory. Holds the password that was made for this copy alone. */
const Restored = z.strictObject({
  restoredId: z.string(),
  databaseId: DatabaseId,
  status: z.enum(['creating', 'available', 'failed']),
  /** The process that restores it. */
  pid: z.int().positive(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  tags: z.strictObject({ owner: z.string() }),
  password: z.string(),
  port: z.int().positive().optional(),
  reason: z.string().optional(),
  /** It is to take the live database's place: it does not expire any more. */
  kept: z.boolean().default(false),
});
export type Restored = z.output<typeof Restored>;

/** The restored copies of one region. */
export class RestoredStore {
  readonly region: LabRegion;
  readonly #runtime: Runtime;

  constructor(region: LabRegion, runtime: Runtime) {
    this.region = region;
    this.#runtime = runtime;
  }

  /** Claims an id. False when a copy, finished or under way, has it. */
  async begin(item: z.input<typeof Restored>): Promise<boolean> {
    const dir = this.dir(item.restoredId);
    try {
      mkdirSync(dir);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    await chmod(dir, this.#runtime.user ? 0o711 : 0o700);
    this.#write(Restored.parse(item));
    return true;
  }

  get(id: string): Restored | undefined {
    try {
      return Restored.parse(JSON.parse(readFileSync(join(this.dir(id), 'restored.json'), 'utf8')));
    } catch {
      return undefined;
    }
  }

  update(id: string, change: Partial<Restored>): void {
    const item = this.get(id);
    if (item) this.#write({ ...item, ...change });
  }

  list(): readonly Restored[] {
    return readdirSync(this.region.paths.restored)
      .sort()
      .flatMap((id) => this.get(id) ?? []);
  }

  /** As the port tells it: a copy whose server died, or whose restore was interrupted, has failed. */
  describe(item: Restored): RestoredDatabase {
    const facts = { region: this.region.name, restoredId: item.restoredId, databaseId: item.databaseId };
    const times = { createdAt: new Date(item.createdAt), expiresAt: item.kept ? doesNotExpire : new Date(item.expiresAt) };
    const reason = this.#failure(item);
    return { ...facts, ...times, status: reason === undefined ? item.status : 'failed', ...(reason === undefined ? {} : { reason }) };
  }

  server(id: string): PostgresServer {
    return new PostgresServer(this.#runtime, join(this.dir(id), 'data'), join(this.dir(id), 'server.log'));
  }

  dir(id: string): string {
    if (!/^[a-z0-9][a-z0-9-]{0,100}$/.test(id)) throw new InvalidInput(`"${id}" cannot be the id of a restored database`);
    return join(this.region.paths.restored, id);
  }

  isThere(id: string): boolean {
    return existsSync(this.dir(id));
  }

  #failure(item: Restored): string | undefined {
    switch (item.status) {
      case 'failed':
        return item.reason ?? 'no reason was given';
      case 'creating':
        return isAlive(item.pid) ? undefined : 'the process that restored it ended';
      case 'available':
        return this.server(item.restoredId).status() === 'stopped' ? 'its server ended' : undefined;
    }
  }

  #write(item: Restored): void {
    const path = join(this.dir(item.restoredId), 'restored.json');
    writeFileSync(`${path}.new`, JSON.stringify(Restored.parse(item)), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
