import { setTimeout as wait } from 'node:timers/promises';
import type { Region } from '../../functions/common/ids.ts';

/** Between two looks at a region's lease endpoint. */
const POLL_MS = 100;
/** An endpoint that takes longer has not answered. */
const TIMEOUT_MS = 1_000;

/** Where clients reach the lease endpoint of a region that can lead. */
export interface LeaseEndpoint {
  readonly region: Region;
  readonly url: string;
}

/** When the traffic began to go to a region, by `performance.now()`. */
export interface Turn {
  readonly region: Region;
  readonly atMs: number;
}

/**
 * What the health checks and failover records of Route 53 do on AWS, ten times a second: traffic goes to the region whose endpoint said
 * last that it holds the lease. While none does it stays where it was, as Route 53 fails open; the fence must hold there.
 */
export class LeaseRouter {
  readonly #turns: Turn[];
  readonly #ended = new AbortController();
  readonly #loops: readonly Promise<void>[];

  constructor(endpoints: readonly LeaseEndpoint[], first: Region) {
    this.#turns = [{ region: first, atMs: performance.now() }];
    this.#loops = endpoints.map((endpoint) => this.#watch(endpoint));
  }

  get current(): Region {
    return this.#turns.at(-1)?.region ?? this.first;
  }

  get first(): Region {
    const [first] = this.#turns;
    if (!first) throw new TypeError('a router begins somewhere');
    return first.region;
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#loops);
  }

  async #watch({ region, url }: LeaseEndpoint): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const nextAt = performance.now() + POLL_MS;
      if ((await holdsLease(url)) && this.current !== region) this.#turns.push({ region, atMs: performance.now() });
      await wait(Math.max(0, nextAt - performance.now()), undefined, { signal: this.#ended.signal }).catch(() => {});
    }
  }
}

async function holdsLease(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
