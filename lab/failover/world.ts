import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { leaseEndpoint } from '../../functions/failover/lease/lease-endpoint.ts';
import type { CoordinationRecord } from '../../functions/failover/models.ts';
import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import { LabClock } from '../clock.ts';
import { LabUnavailable } from '../errors.ts';
import { Acknowledgements } from '../hospital/acknowledgements.ts';
import { loadHospitalWithJournal } from '../hospital/journal.ts';
import { startWriter, type Writer } from '../hospital/writer.ts';
import { Lab } from '../lab.ts';
import type { Network } from '../network/network.ts';
import { labDatabaseId, labOperations, labRegions, type Profile, saveOperations } from '../operations.ts';
import type { Regions } from '../regions.ts';
import { type RunningRegions, type StartProgress, startRegions } from '../start.ts';
import { storedRecord } from './coordination.ts';
import { explain } from './explain.ts';
import { handlerLog } from './handler-log.ts';
import { LeaseRouter, type Turn } from './lease-router.ts';
import { type LabFailoverNumbers, labFailover, withLockedVault, withLossBudget } from './policy.ts';
import { RecentLog } from './recent-log.ts';
import { type BrokenServices, regionHealth } from './region-health.ts';
import { RegionSchedule } from './region-schedule.ts';
import { candidateTasks, watcherTasks } from './region-tasks.ts';

export interface WorldOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly sizeBytes: number;
  readonly numbers: LabFailoverNumbers;
  /** Transactions a second of the writer. */
  readonly perSecond: number;
  readonly onProgress?: (progress: StartProgress) => void;
}

const WRITER_CONNECTIONS = 4;
const POLL_MS = 50;
/** From the first schedules to a lease that is written under. */
const FIRST_LEASE_SECONDS = 30;

/**
 * A lab in which leadership moves: two regions with a database, a third that watches, each with its own handlers on their schedules, and a
 * writer that follows the lease through a router.
 */
export class FailoverWorld {
  readonly lab: Lab;
  readonly regions: Regions;
  readonly network: Network;
  readonly log: RecentLog;
  readonly router: LeaseRouter;
  readonly writer: Writer;
  readonly acknowledgements = new Acknowledgements();
  readonly broken: BrokenServices = new Set();
  /** When a restored copy was opened in the place of a region's database, by `performance.now()`. */
  readonly replacements: Turn[] = [];
  /** Regions that can lead, the one that did first. */
  readonly candidates: readonly [Region, Region];
  readonly watcher: Region;
  readonly #running: RunningRegions;
  readonly #schedules: ReadonlyMap<Region, RegionSchedule>;

  constructor(running: RunningRegions, lab: Lab, network: Network, log: RecentLog, { seed, perSecond }: WorldOptions) {
    this.lab = lab;
    this.log = log;
    this.regions = running.regions;
    this.network = network;
    this.#running = running;
    this.candidates = [this.regions.startedAs('primary'), this.regions.startedAs('standby')];
    this.watcher = this.regions.startedAs('tertiary');
    this.#schedules = new Map(this.regions.names.map((region) => [region, new RegionSchedule(lab, region)]));
    for (const region of this.regions.names) this.#answerIn(region);
    const endpoints = this.candidates.map((region) => ({ region, url: `http://127.0.0.1:${network.endpoint(region).port}/lease` }));
    this.router = new LeaseRouter(endpoints, this.candidates[0]);
    const regionAt = new Map(this.regions.state.regions.map(({ name, port }) => [port, name]));
    this.writer = startWriter({
      address: () => this.regions.address(this.router.current, 'application'),
      connections: WRITER_CONNECTIONS,
      seed,
      perSecond,
      journal: true,
      onAcknowledged: ({ id }, { port }) => {
        const region = regionAt.get(port);
        if (region) this.acknowledgements.add(id, region);
      },
    });
  }

  /** The record of who leads, past every fault. @throws LabUnavailable before the first guardian */
  record(): CoordinationRecord {
    const record = storedRecord(this.lab.stores.coordination);
    if (record) return record;
    throw new LabUnavailable('nobody leads yet: no guardian has written the coordination record');
  }

  /** The region that leads, and the other one that could. */
  sides(): { readonly leader: Region; readonly other: Region } {
    const leader = this.regions.primary;
    const other = this.candidates.find((region) => region !== leader);
    if (!other) throw new TypeError('there are two candidates');
    return { leader, other };
  }

  /** Resolves as soon as it is so. @throws LabUnavailable when it is not within that time */
  async until(what: string, limitSeconds: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + limitSeconds * 1000;
    while (!(await isSo())) {
      if (performance.now() > giveUpAt) {
        throw new LabUnavailable(`${limitSeconds} s passed without this: ${what}`, { hint: await explain(this) });
      }
      await wait(POLL_MS);
    }
  }

  /** @returns the moment, by `performance.now()` */
  kill(region: Region): number {
    return this.network.kill(this.regions, region);
  }

  /** The region is back with what its disks held: its database starts as what it was, its handlers run. Nothing happens to one that lives. */
  async revive(region: Region): Promise<void> {
    if (this.regions.faults.isUp(region)) return;
    await this.network.revive(this.regions, region);
    const { server, port } = this.regions.use(region);
    // Nothing lies there when it was lost in the middle of an exchange: whoever goes on with that starts it.
    if (port !== undefined && existsSync(server.dataDir) && server.status() === 'stopped') await server.start(port);
    this.startSchedules(region);
  }

  readonly schedule = (region: Region): RegionSchedule => {
    const found = this.#schedules.get(region);
    if (!found) throw new TypeError(`there is no region ${region}`);
    return found;
  };

  /** All schedules of the region, or that of one task. */
  startSchedules(region: Region, task?: string): void {
    for (const repeated of region === this.watcher ? watcherTasks : candidateTasks) {
      if (task === undefined || repeated.task.name === task) this.schedule(region).start(repeated);
    }
  }

  /** Ends the writer first, then everything that could still move, then the servers. */
  async end(): Promise<void> {
    await this.writer.stop();
    await this.router.stop();
    await Promise.all([...this.#schedules.values()].map((schedule) => schedule.stop()));
    this.network.close();
    await this.lab.settled();
    await this.#running.stop();
  }

  #answerIn(region: Region): void {
    const { capacity, coordination } = this.lab.ports(region);
    const { clock } = this.lab;
    const leaseOf = leaseEndpoint({ coordination, region, clock });
    const healthOf = regionHealth(region, this.lab.operations, capacity, this.broken);
    this.network.endpoint(region).answer = (path) => (path === '/lease' ? leaseOf() : healthOf(path));
  }
}

/** Starts everything, and waits until the first lease is given and written under. @throws LabUnavailable */
export async function openFailoverWorld(options: WorldOptions): Promise<FailoverWorld> {
  const running = await startRegions({
    deployment: 'lab',
    databaseId: DatabaseId.parse(labDatabaseId),
    regions: {
      primary: Region.parse(labRegions.primary),
      standby: Region.parse(labRegions.standby),
      tertiary: Region.parse(labRegions.tertiary),
    },
    standbys: ['standby'],
    breakable: true,
    seed: options.seed,
    load: loadHospitalWithJournal(options.sizeBytes),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  let world: FailoverWorld | undefined;
  try {
    const { regions, network } = running;
    if (!network) throw new TypeError('a breakable lab has a network');
    const { databaseNames } = regions.state;
    const configured = labOperations(options.profile, hospitalPack, databaseNames, {}, labFailover(options.numbers));
    const operations = withLockedVault(withLossBudget(configured));
    saveOperations(regions.dir, operations);
    const log = new RecentLog();
    const lab = new Lab(regions, operations, new LabClock(), {
      network,
      logOf: (region) => handlerLog(regions.paths(region), log.of(region)),
    });
    await lab.machines(); // Synthesized now: while it goes on, nothing else does.
    const begun = new FailoverWorld(running, lab, network, log, options);
    world = begun;
    for (const region of regions.names) begun.startSchedules(region);
    const isSteady = (): boolean => storedRecord(lab.stores.coordination)?.fenced === true && begun.acknowledgements.all.length > 0;
    await begun.until('the first lease, over a complete fence', FIRST_LEASE_SECONDS, isSteady);
    return begun;
  } catch (error) {
    await (world ? world.end() : running.stop());
    throw error;
  }
}
