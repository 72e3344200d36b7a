import { setTimeout as wait } from 'node:timers/promises';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { startWriter, type Writer } from '../../lab/hospital/writer.ts';
import { isPrimary } from './patroni-cluster.ts';
import type { Site } from './site.ts';

/** Between two looks at who the primary is; the lab's router looks as often. */
const ROUTER_POLL_MS = 100;

/** Follows the primary by asking each region, as a load balancer in front of Patroni does. */
export class Router {
  readonly #sites: readonly Site[];
  #current: Site | undefined;
  #ended = false;
  readonly #loops: readonly Promise<void>[];

  constructor(sites: readonly Site[]) {
    this.#sites = sites;
    this.#loops = this.#sites.map((site) => this.#watch(site));
  }

  /** The region that said last that it is the primary. */
  get current(): Site | undefined {
    return this.#current;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#loops);
  }

  async #watch(site: Site): Promise<void> {
    while (!this.#ended) {
      const nextAt = performance.now() + ROUTER_POLL_MS;
      if (await isPrimary(site)) this.#current = site;
      await wait(Math.max(0, nextAt - performance.now()));
    }
  }
}

/** An acknowledged write, by the clock of this process. */
export interface Acknowledgement {
  readonly atMs: number;
  readonly host: string;
}

/** The hospital's writer with a memory of every acknowledgement. */
export class Clients {
  readonly acknowledgements: Acknowledgement[] = [];
  readonly #writer: Writer;

  constructor(address: () => PgAddress, seed: number) {
    this.#writer = startWriter({
      address,
      connections: 4,
      perSecond: 200,
      seed,
      onAcknowledged: (_write, { host }) => this.acknowledgements.push({ atMs: performance.now(), host }),
    });
  }

  firstFrom(isFrom: (host: string) => boolean): Acknowledgement | undefined {
    return this.acknowledgements.find(({ host }) => isFrom(host));
  }

  async stop(): Promise<void> {
    await this.#writer.stop();
  }
}
