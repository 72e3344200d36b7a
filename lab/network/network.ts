import { setMaxListeners } from 'node:events';
import type { Region } from '../../functions/common/ids.ts';
import { killServer } from '../postgres/processes.ts';
import type { Regions } from '../regions.ts';
import { RegionEndpoint } from './endpoint.ts';
import { type LinkKind, linkKinds } from './faults.ts';
import { Link } from './link.ts';

/** One link as `state.json` has it, so that every process that looks into the lab goes the same way. */
export interface LinkAddress {
  readonly from: Region;
  readonly to: Region;
  readonly kind: LinkKind;
  readonly port: number;
}

interface PlacedLink extends LinkAddress {
  readonly link: Link;
}

/** Where servers listen, before any of them runs. */
export interface Place {
  readonly region: Region;
  /** Of PostgreSQL; undefined where the region has none. */
  readonly databasePort: number | undefined;
}

/** The ways between regions, their HTTP servers, and the hand that breaks them. Belongs to the process that started the lab. */
export class Network {
  readonly #links: readonly PlacedLink[];
  readonly #endpoints: ReadonlyMap<Region, RegionEndpoint>;
  readonly #lives = new Map<Region, AbortController>();

  private constructor(links: readonly PlacedLink[], endpoints: ReadonlyMap<Region, RegionEndpoint>) {
    this.#links = links;
    this.#endpoints = endpoints;
  }

  /** @throws LabUnavailable when a port cannot be opened */
  static async open(places: readonly Place[]): Promise<Network> {
    const endpoints = new Map<Region, RegionEndpoint>();
    for (const { region } of places) endpoints.set(region, await RegionEndpoint.open());
    const links: PlacedLink[] = [];
    for (const { region: from } of places) {
      for (const { region: to, databasePort } of places.filter((place) => place.region !== from)) {
        for (const kind of linkKinds) {
          const target = kind === 'http' ? endpoints.get(to)?.port : databasePort;
          if (target === undefined) continue;
          const link = await Link.open(target);
          links.push({ from, to, kind, port: link.port, link });
        }
      }
    }
    return new Network(links, endpoints);
  }

  get linkAddresses(): readonly LinkAddress[] {
    return this.#links.map(({ from, to, kind, port }) => ({ from, to, kind, port }));
  }

  endpointPort(region: Region): number {
    return this.endpoint(region).port;
  }

  endpoint(region: Region): RegionEndpoint {
    const found = this.#endpoints.get(region);
    if (!found) throw new TypeError(`the network has no region ${region}`);
    return found;
  }

  /** Aborted when the region dies; one that comes back lives a new life. */
  life(region: Region): AbortSignal {
    const living = this.#lives.get(region) ?? new AbortController();
    this.#lives.set(region, living);
    setMaxListeners(0, living.signal);
    return living.signal;
  }

  /**
   * Loses a region at once, as when the power goes: every PostgreSQL process of it, its HTTP server, its handlers, its directory and keys.
   * @returns the moment, by `performance.now()`
   */
  kill(regions: Regions, region: Region): number {
    regions.faults.setDown(region, true);
    this.#lives.get(region)?.abort(`region ${region} is down`);
    this.#lives.delete(region);
    const at = performance.now();
    killServer(`${regions.paths(region).root}/`);
    this.#endpoints.get(region)?.kill();
    for (const { from, to, link } of this.#links) if (from === region || to === region) link.drop();
    return at;
  }

  /** The region is back with what its disks held. Its PostgreSQL is started by whoever wants it to run. */
  async revive(regions: Regions, region: Region): Promise<void> {
    await this.#endpoints.get(region)?.revive();
    regions.faults.setDown(region, false);
  }

  /** Nothing passes between the two, in neither direction, and nobody is told. Clients still reach both. */
  partition(regions: Regions, a: Region, b: Region): void {
    regions.faults.setCut(a, b, true);
    this.#apply(regions);
  }

  heal(regions: Regions, a: Region, b: Region): void {
    regions.faults.setCut(a, b, false);
    this.#apply(regions);
  }

  /** The standby of that region gets nothing of the stream any more, and everything once it is let go. */
  holdReplication(regions: Regions, standby: Region, isHeld: boolean): void {
    regions.faults.setHeld(standby, isHeld);
    this.#apply(regions);
  }

  close(): void {
    for (const { link } of this.#links) link.close();
    for (const endpoint of this.#endpoints.values()) endpoint.kill();
    for (const living of this.#lives.values()) living.abort('the lab ends');
  }

  #apply(regions: Regions): void {
    for (const { from, to, kind, link } of this.#links) link.set(regions.faults.linkState(from, to, kind));
  }
}
