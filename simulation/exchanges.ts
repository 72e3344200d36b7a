import { InvalidInput, NotFound, ServiceUnavailable } from '../functions/common/errors.ts';
import { type DatabaseId, type Region, type Timestamp, timestamp } from '../functions/common/ids.ts';
import type { ReplicaState, SwapRequest } from '../functions/failover/ports.ts';
import type { DatabaseServer } from './database-server.ts';
import type { Monitor } from './monitor.ts';
import type { Random } from './random.ts';
import { type Micros, toMicros, type VirtualTime } from './virtual-time.ts';
import type { World } from './world.ts';

/** How long the service takes, in seconds: to make a copy fit, to rename an instance, until one answers under its new name. */
const takes = { fitting: [0.2, 6], renaming: [0.5, 8], coming: [0.5, 5] } as const;
/** After a name has moved, some still reach what had it, for this long at most. */
const staleFor = toMicros(10);

interface Copy {
  readonly server: DatabaseServer;
  readonly restoredAt: Micros;
  fitAt: Micros | undefined;
  stage: 'restored' | 'unnamed' | 'named';
  /** The renaming that is under way ends then. */
  until: Micros;
}

/** Restored copies, and how one takes a live database's name: as RDS does it, a call at a time. */
export class Exchanges {
  readonly #world: Pick<World, 'server' | 'place' | 'unname' | 'restore' | 'table'>;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #monitor: Monitor;
  readonly #copies = new Map<string, Copy>();
  /** What had a name before, and until when it may still be reached by it. */
  readonly #stale = new Map<string, { readonly server: DatabaseServer; until: Micros }>();

  constructor(world: Pick<World, 'server' | 'place' | 'unname' | 'restore' | 'table' | 'time' | 'monitor'>, random: Random) {
    this.#world = world;
    this.#time = world.time;
    this.#monitor = world.monitor;
    this.#random = random;
  }

  /** Restores what the live primary held at that moment. Undefined where there is none. */
  restore(databaseId: DatabaseId, region: Region, at: Micros): { readonly restoredId: string; readonly restoredTo: Timestamp } | undefined {
    const live = this.#world.server(databaseId, region);
    if (live?.role !== 'primary') return undefined;
    const restoredId = `cb-${databaseId}-${this.#copies.size + 1}`;
    const server = this.#world.restore(live, at);
    this.#copies.set(`${region}/${restoredId}`, { server, restoredAt: at, fitAt: undefined, stage: 'restored', until: 0 });
    return { restoredId, restoredTo: timestamp(new Date(Math.floor(live.showClock(at) / 1000))) };
  }

  /** The copy itself, whatever name it has. */
  server(request: SwapRequest): DatabaseServer {
    return this.#find(request).server;
  }

  prepare(request: SwapRequest): ReplicaState {
    const copy = this.#find(request);
    copy.fitAt ??= this.#later(takes.fitting);
    return this.#told(request, this.#time.now >= copy.fitAt ? 'available' : 'creating');
  }

  swapIn({ epoch, ...request }: SwapRequest & { readonly epoch: number }): ReplicaState {
    const copy = this.#find(request);
    const { server } = copy;
    const { databaseId, region } = request;
    if (copy.stage === 'restored') {
      if (copy.fitAt === undefined || copy.fitAt > this.#time.now) throw new InvalidInput(`${request.restoredId} is not prepared`);
      const damaged = this.#world.server(databaseId, region);
      if (!damaged) throw new ServiceUnavailable(`the name of ${databaseId} is being changed`);
      this.#monitor.exchanged({ region, damaged, copy: server, restoredAt: copy.restoredAt }, epoch, this.#world.table.record);
      this.#world.unname(damaged);
      this.#stale.set(`${databaseId}/${region}`, { server: damaged, until: Number.POSITIVE_INFINITY });
      copy.stage = 'unnamed';
      copy.until = this.#later(takes.renaming);
    } else if (copy.stage === 'unnamed' && this.#time.now >= copy.until) {
      copy.stage = 'named';
      server.comeForward(this.#later(takes.coming));
      this.#world.place(server);
      const stale = this.#stale.get(`${databaseId}/${region}`);
      if (stale) stale.until = this.#time.now + staleFor;
    }
    return this.#told(request, copy.stage === 'named' && server.isUp ? 'available' : 'promoting');
  }

  /** What somebody reaches by that name now: at times still what had it before. */
  resolve(databaseId: DatabaseId, region: Region): DatabaseServer | undefined {
    const stale = this.#stale.get(`${databaseId}/${region}`);
    if (stale && stale.until > this.#time.now && this.#random.chance(0.4)) return stale.server;
    return this.#world.server(databaseId, region);
  }

  #find({ region, restoredId }: SwapRequest): Copy {
    const found = this.#copies.get(`${region}/${restoredId}`);
    if (!found) throw new NotFound(`there is no restored copy ${restoredId} in ${region}`);
    return found;
  }

  #later([from, to]: readonly [number, number]): Micros {
    return this.#time.now + toMicros(this.#random.between(from, to));
  }

  #told = ({ databaseId, region }: SwapRequest, status: ReplicaState['status']): ReplicaState => ({
    ...{ databaseId, region, role: 'primary', status, says: status },
  });
}
