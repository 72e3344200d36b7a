import { rm } from 'node:fs/promises';
import type { RestoredDatabase } from '../../functions/backup/models.ts';
import type { RestoredRef, RestoreRequest } from '../../functions/backup/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import { messageOf, NotOwned } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import type { Background } from '../background.ts';
import { explainFileError } from '../errors.ts';
import type { PostgresServer } from '../postgres/server.ts';
import type { RegionKey } from '../region.ts';
import type { Regions } from '../regions.ts';
import { newPassword } from '../roles.ts';
import { recover, type TimeTarget } from './recover.ts';
import { RestoredStore } from './restored-store.ts';
import { unpackSnapshot } from './unpack.ts';

/** Where a restore takes its bytes from. */
export interface RestoreSource {
  readonly object: string;
  readonly key: RegionKey;
  readonly target?: TimeTarget;
}

/** Temporary databases: started in the background, described, removed. */
export class Restores {
  readonly #regions: Regions;
  readonly #clock: Clock;
  readonly #background: Background;

  constructor(regions: Regions, clock: Clock, background: Background) {
    this.#regions = regions;
    this.#clock = clock;
    this.#background = background;
  }

  /** Starts a restore, or finds the one that was started under this id. */
  async start(request: RestoreRequest, source: () => Promise<RestoreSource>): Promise<RestoredDatabase> {
    const store = this.#store(request.region);
    const owner = this.#regions.state.deployment;
    const password = newPassword();
    const existing = store.get(request.restoredId);
    if (!existing) {
      const from = await source();
      const begun = await store.begin({
        restoredId: request.restoredId,
        databaseId: request.databaseId,
        status: 'creating',
        pid: process.pid,
        createdAt: this.#clock.now().toISOString(),
        expiresAt: request.expiresAt.toISOString(),
        tags: { owner },
        password,
      });
      if (begun) this.#run(store, request.restoredId, password, from);
    }
    const item = store.get(request.restoredId);
    if (!item || item.tags.owner !== owner) throw new NotOwned(`${request.restoredId} does not belong to ${owner}`);
    return store.describe(item);
  }

  describe({ region, restoredId }: RestoredRef): RestoredDatabase | undefined {
    const store = this.#store(region);
    const item = store.get(restoredId);
    return item?.tags.owner === this.#regions.state.deployment ? store.describe(item) : undefined;
  }

  list(region: Region): readonly RestoredDatabase[] {
    const store = this.#store(region);
    return store
      .list()
      .filter(({ tags }) => tags.owner === this.#regions.state.deployment)
      .map((item) => store.describe(item));
  }

  /** Ends its server and removes its files. @throws NotOwned */
  async remove({ region, restoredId }: RestoredRef): Promise<void> {
    const store = this.#store(region);
    const item = store.get(restoredId);
    const owner = this.#regions.state.deployment;
    if (item && item.tags.owner !== owner) throw new NotOwned(`${restoredId} belongs to ${item.tags.owner}, not to ${owner}`);
    const job = this.#background.restores.get(store.dir(restoredId));
    job?.abort.abort();
    const server = store.server(restoredId);
    await server.endNow();
    await job?.done;
    await server.endNow();
    await rm(store.dir(restoredId), { recursive: true, force: true, maxRetries: 5 });
  }

  #store(region: Region): RestoredStore {
    return new RestoredStore(this.#regions.use(region), this.#regions.runtime);
  }

  #run(store: RestoredStore, id: string, password: string, { object, key, target }: RestoreSource): void {
    const abort = new AbortController();
    const restore = async (server: PostgresServer): Promise<void> => {
      try {
        await unpackSnapshot(object, key, server, abort.signal);
        abort.signal.throwIfAborted();
        const port = await recover(server, password, target);
        store.update(id, { status: 'available', port });
      } catch (error) {
        store.update(id, { status: 'failed', reason: messageOf(explainFileError(error, store.dir(id))) });
      }
    };
    const { restores } = this.#background;
    const done = restore(store.server(id)).finally(() => restores.delete(store.dir(id)));
    restores.set(store.dir(id), { abort, done });
    this.#background.run(done);
  }
}
