import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { until } from './command.ts';
import { placeEtcdLeader, putEtcd, startEtcd } from './etcd.ts';
import { dynamicConfig, dynamicConfigKey, memberConfig, type PatroniTimes } from './patroni-config.ts';
import { Site } from './site.ts';
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

/** Three regions with etcd, Patroni and PostgreSQL in each, as Patroni's manual draws it. */
export class PatroniCluster {
  readonly sites: readonly Site[];
  readonly #dir: string;
  readonly #template: Template;
  readonly #agents = new Map<Site, ChildProcess>();

  private constructor(sites: readonly Site[], dir: string, template: Template) {
    this.sites = sites;
    this.#dir = dir;
    this.#template = template;
  }

  /** Resolves when both standbys stream from the primary, which is the first site. */
  static async start(rival: Rival, template: Template, times: PatroniTimes, dir: string): Promise<PatroniCluster> {
    const sites: Site[] = [];
    const cluster = new PatroniCluster(sites, dir, template);
    try {
      for (const [index, region] of template.regions.entries()) {
        mkdirSync(join(dir, region, 'archive'), { recursive: true });
        await template.copyData(region, join(dir, region, 'data'));
        sites.push(await Site.create(region, index + 1));
      }
      await startEtcd(rival.etcd, sites, dir);
      await putEtcd(cluster.primary, dynamicConfigKey, JSON.stringify(dynamicConfig(times)));
      cluster.#startAgent(rival, cluster.primary);
      await until('the first primary under Patroni', async () => ((await isPrimary(cluster.primary)) ? true : undefined));
      for (const site of cluster.others) cluster.#startAgent(rival, site);
      await until('streaming to both standbys', () => cluster.#streams());
      cluster.#checkTimes();
      return cluster;
    } catch (error) {
      const log = cluster.#logs();
      await cluster.stop();
      throw new Error(`Patroni did not start: ${error instanceof Error ? error.message : String(error)}\n${log}`, { cause: error });
    }
  }

  /** The region that is lost or cut off. */
  get primary(): Site {
    const [first] = this.sites;
    if (!first) throw new Error('the cluster has no site');
    return first;
  }

  get others(): readonly Site[] {
    return this.sites.slice(1);
  }

  /** How clients of the hospital reach the server of a site. */
  address(site: Site): PgAddress {
    return { host: site.clientHost, port: 5432, ...this.#template.accounts.application };
  }

  placeEtcdLeader(site: Site): Promise<void> {
    return placeEtcdLeader(this.sites, site);
  }

  /** Kills Patroni in a region and leaves its PostgreSQL and its etcd alone. */
  killAgent(site: Site): void {
    const agent = this.#agents.get(site);
    if (agent) site.killProgram(agent);
  }

  async stop(): Promise<void> {
    for (const site of this.sites) await site.remove();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #startAgent({ python, programs }: Rival, site: Site): void {
    const dir = join(this.#dir, site.name);
    const file = join(dir, 'patroni.json');
    const config = memberConfig({ site, sites: this.sites, dir, programs, accounts: this.#template.accounts });
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    this.#agents.set(site, site.start(python, ['-m', 'patroni', file], this.#logFile(site)));
  }

  async #streams(): Promise<true | undefined> {
    const answer = await fetch(`http://${this.primary.clientHost}:8008/cluster`);
    const { members } = Members.parse(await answer.json());
    return members.filter(({ role, state, lag }) => role !== 'leader' && state === 'streaming' && lag === 0).length === 2 || undefined;
  }

  #logFile(site: Site): string {
    return join(this.#dir, site.name, 'patroni.log');
  }

  #logs(): string {
    return this.sites
      .map((site) => readFileSync(this.#logFile(site), { encoding: 'utf8', flag: 'a+' }).split('\n').slice(-12).join('\n'))
      .join('\n');
  }

  /** Patroni corrects times that it does not like and says so only in its log. */
  #checkTimes(): void {
    const complaint = /^.*(Violated the rule|can't be smaller than).*$/m.exec(readFileSync(this.#logFile(this.primary), 'utf8'));
    if (complaint) throw new Error(`Patroni did not take its times: ${complaint[0]}`);
  }
}

/** What Patroni's manual has load balancers ask. */
export async function isPrimary(site: Site): Promise<boolean> {
  try {
    const { ok } = await fetch(`http://${site.clientHost}:8008/primary`, { signal: AbortSignal.timeout(1_000) });
    return ok;
  } catch {
    return false;
  }
}
