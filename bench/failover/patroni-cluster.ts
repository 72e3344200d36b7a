import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Region } from '../../functions/common/ids.ts';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import type { LeaseEndpoint } from '../../lab/failover/lease-router.ts';
import { until } from './command.ts';
import { placeEtcdLeader, putEtcd, startEtcd } from './etcd.ts';
import { dynamicConfig, dynamicConfigKey, memberConfig, type PatroniTimes } from './patroni-config.ts';
import { Site } from './site.ts';
import type { System } from './system.ts';
import type { Template } from './template.ts';

/** What the script installed, as paths. */
export interface Rival {
  readonly python: string;
  readonly etcd: string;
  /** A directory with PostgreSQL's programs as Patroni wants them. */
  readonly programs: string;
}

const Members = z.object({
  members: z.array(z.object({ name: z.string(), role: z.string(), state: z.string(), lag: z.unknown().optional() })),
});

/** Patroni and PostgreSQL in two regions, etcd in three, each region a site. */
export class PatroniCluster implements System {
  readonly #sites: readonly Site[];
  readonly #dir: string;
  readonly #template: Template;
  readonly #agents = new Map<Region, ChildProcess>();

  private constructor(sites: readonly Site[], dir: string, template: Template) {
    this.#sites = sites;
    this.#dir = dir;
    this.#template = template;
  }

  /** Resolves when the standby streams from the primary. */
  static async start(rival: Rival, template: Template, times: PatroniTimes, dir: string): Promise<PatroniCluster> {
    const sites: Site[] = [];
    const cluster = new PatroniCluster(sites, dir, template);
    try {
      for (const [index, region] of template.regions.entries()) {
        mkdirSync(join(dir, region, 'archive'), { recursive: true });
        sites.push(await Site.create(region, index + 1));
      }
      for (const region of [cluster.primary, cluster.standby]) await template.copyData(region, join(dir, region, 'data'));
      await startEtcd(rival.etcd, sites, dir);
      await putEtcd(cluster.#site(cluster.primary), dynamicConfigKey, JSON.stringify(dynamicConfig(times)));
      cluster.#startAgent(rival, cluster.primary);
      await until('the first primary under Patroni', () => cluster.#leads());
      cluster.#startAgent(rival, cluster.standby);
      await until('streaming to the standby', () => cluster.#streams());
      cluster.#checkTimes();
      return cluster;
    } catch (error) {
      const says = await cluster.says();
      await cluster.stop();
      throw new Error(`Patroni did not start: ${error instanceof Error ? error.message : String(error)}; ${says}`, { cause: error });
    }
  }

  get primary(): Region {
    return this.#template.primary;
  }

  get standby(): Region {
    return this.#template.standby;
  }

  /** What Patroni's manual has load balancers ask. */
  get endpoints(): readonly LeaseEndpoint[] {
    return [this.primary, this.standby].map((region) => ({ region, url: this.#url(region, 'primary') }));
  }

  address(region: Region): PgAddress {
    return { host: this.#site(region).clientHost, port: 5432, ...this.#template.accounts.application };
  }

  /** Moves etcd's leadership into the primary's region, or out of it. */
  placeEtcdLeader(withPrimary: boolean): Promise<void> {
    return placeEtcdLeader(this.#sites, this.#site(withPrimary ? this.primary : this.standby));
  }

  loseRegion(): number {
    const at = performance.now();
    this.#site(this.primary).loseRegion();
    return at;
  }

  cutOff(): Promise<void> {
    return this.#site(this.primary).cutOff();
  }

  async killAgents(): Promise<void> {
    const agent = this.#agents.get(this.primary);
    if (agent) this.#site(this.primary).killProgram(agent);
  }

  /** The last lines of each Patroni's log, PostgreSQL's among them. They hold no values: statements are not logged. */
  async says(): Promise<string> {
    const logs = [this.primary, this.standby].map((region) => this.#logFile(region)).filter((file) => existsSync(file));
    return ['the logs end so:', ...logs.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(-12))].join('\n');
  }

  async stop(): Promise<void> {
    for (const site of this.#sites) await site.remove();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #site(region: Region): Site {
    const found = this.#sites.find(({ name }) => name === region);
    if (!found) throw new TypeError(`the cluster has no region ${region}`);
    return found;
  }

  #url(region: Region, path: string): string {
    return `http://${this.#site(region).clientHost}:8008/${path}`;
  }

  #startAgent({ python, programs }: Rival, region: Region): void {
    const site = this.#site(region);
    const dir = join(this.#dir, region);
    const file = join(dir, 'patroni.json');
    const config = memberConfig({ site, sites: this.#sites, dir, programs, accounts: this.#template.accounts });
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    this.#agents.set(region, site.start(python, ['-m', 'patroni', file], this.#logFile(region)));
  }

  async #leads(): Promise<true | undefined> {
    const answer = await fetch(this.#url(this.primary, 'primary')).catch(() => undefined);
    return answer?.ok || undefined;
  }

  async #streams(): Promise<true | undefined> {
    const answer = await fetch(this.#url(this.primary, 'cluster'));
    const { members } = Members.parse(await answer.json());
    return members.some(({ role, state, lag }) => role !== 'leader' && state === 'streaming' && lag === 0) || undefined;
  }

  #logFile(region: Region): string {
    return join(this.#dir, region, 'patroni.log');
  }

  /** Patroni corrects times that it does not like and says so only in its log. */
  #checkTimes(): void {
    const complaint = /^.*(Violated the rule|can't be smaller than).*$/m.exec(readFileSync(this.#logFile(this.primary), 'utf8'));
    if (complaint) throw new Error(`Patroni did not take its times: ${complaint[0]}`);
  }
}
