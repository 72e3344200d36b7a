import { setTimeout as wait } from 'node:timers/promises';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import type { Incident } from '../../functions/incidents/models.ts';
import { type MemorySignalQueue, memorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { consumers, endpoints } from '../../functions/tasks.ts';
import { LabClock } from '../clock.ts';
import { LabUnavailable } from '../errors.ts';
import { storedRecord } from '../failover/coordination.ts';
import { handlerLog } from '../failover/handler-log.ts';
import { RecentLog } from '../failover/recent-log.ts';
import { type BrokenServices, regionHealth } from '../failover/region-health.ts';
import { RegionSchedule } from '../failover/region-schedule.ts';
import { loadHospital } from '../hospital/generate.ts';
import { startWriter, type Writer } from '../hospital/writer.ts';
import { Lab } from '../lab.ts';
import type { Network } from '../network/network.ts';
import { labDatabaseId, labOperations, labRegions, type Profile, saveOperations } from '../operations.ts';
import type { Regions } from '../regions.ts';
import { type RunningRegions, type StartProgress, startRegions } from '../start.ts';
import { Carriers, labChannels } from './carriers.ts';
import { openDoor } from './door.ts';
import type { HttpServer } from './http-server.ts';
import { type Delivery, Mailbox } from './mailbox.ts';
import { openMailboxServer } from './mailbox-server.ts';
import { labIncidents, lagAlarm, observedFailover } from './policy.ts';
import { type Pump, startPump } from './pump.ts';
import { RegionMonitor, type TopicMail } from './region-monitor.ts';
import { tasksWithDatabase, tasksWithout } from './tasks.ts';

export interface IncidentWorldOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly sizeBytes: number;
  readonly onProgress?: (progress: StartProgress) => void;
}

const POLL_MS = 50;
const SHOWN_LINES = 40;
/** From the first schedules to a lease. */
const FIRST_LEASE_SECONDS = 60;
/** Enough that the replica always has something to replay, and nothing more. */
const WRITES_PER_SECOND = 20;

/** What the people and the carriers of a lab are, before its Regions run. */
interface People {
  readonly mailbox: Mailbox;
  readonly page: HttpServer;
  readonly carriers: Carriers;
}

/**
 * A lab in which alarms ring and people are told: three Regions with their queues, consumers, doors and schedules, CloudWatch's part over real servers and services, carriers that deliver into a
 * mailbox. Codeblue itself is the deployed code.
 */
export class IncidentWorld {
  readonly lab: Lab;
  readonly regions: Regions;
  readonly network: Network;
  readonly mailbox: Mailbox;
  readonly carriers: Carriers;
  /** The mailbox in a browser. */
  readonly page: HttpServer;
  readonly log: RecentLog;
  readonly broken: BrokenServices = new Set();
  /** What went to the alarm topic, which is no channel of the outbox. */
  readonly topic: TopicMail[] = [];
  readonly queues: ReadonlyMap<Region, MemorySignalQueue>;
  readonly #doors: ReadonlyMap<string, HttpServer>;
  readonly #running: RunningRegions;
  readonly #schedules: ReadonlyMap<Region, RegionSchedule>;
  readonly #monitors: ReadonlyMap<Region, RegionMonitor>;
  readonly #pumps: readonly Pump[];
  readonly #writer: Writer;

  constructor(
    running: RunningRegions,
    network: Network,
    lab: Lab,
    log: RecentLog,
    { mailbox, page, carriers }: People,
    { queues, doors }: { readonly queues: ReadonlyMap<Region, MemorySignalQueue>; readonly doors: ReadonlyMap<string, HttpServer> },
    seed: number,
  ) {
    this.#running = running;
    this.regions = running.regions;
    this.network = network;
    this.lab = lab;
    this.log = log;
    this.mailbox = mailbox;
    this.page = page;
    this.carriers = carriers;
    this.queues = queues;
    this.#doors = doors;
    const { names } = this.regions;
    this.#schedules = new Map(names.map((region) => [region, new RegionSchedule(lab, region)]));
    for (const region of names) {
      network.endpoint(region).answer = regionHealth(region, lab.operations, lab.ports(region).capacity, this.broken);
    }
    this.#monitors = new Map(
      names.map((region) => [region, new RegionMonitor(lab, region, this.queueOf(region), (mail) => this.topic.push(mail))]),
    );
    lab.onMetric = (region, metric) => this.monitor(region).note(metric);
    this.#pumps = names.flatMap((region) =>
      consumers.map((consumer) =>
        startPump({ consumer, queue: this.queueOf(region), host: () => lab.host(region), isUp: () => this.regions.faults.isUp(region) }),
      ),
    );
    this.#writer = startWriter({
      address: () => this.regions.address(this.regions.primary, 'application'),
      connections: 2,
      seed,
      perSecond: WRITES_PER_SECOND,
    });
    const watcher = this.regions.startedAs('tertiary');
    for (const region of names) for (const task of region === watcher ? tasksWithout : tasksWithDatabase) this.schedule(region).start(task);
  }

  queueOf(region: Region): MemorySignalQueue {
    return found(this.queues, region);
  }

  monitor(region: Region): RegionMonitor {
    return found(this.#monitors, region);
  }

  schedule(region: Region): RegionSchedule {
    return found(this.#schedules, region);
  }

  /** From now on alarms are evaluated. */
  watch(): void {
    for (const monitor of this.#monitors.values()) monitor.start();
  }

  /** The address of an endpoint of the registry, in that Region. */
  door(region: Region, endpoint: string): HttpServer {
    return found(this.#doors, `${region}/${endpoint}`);
  }

  /** Past every fault. Newest first. */
  incidents(): Promise<readonly Incident[]> {
    return this.lab.ports(this.regions.startedAs('tertiary')).incidents.recent(new Date(0), 10_000);
  }

  /** Resolves with what `look` finds as soon as it finds something. @throws LabUnavailable when it does not within that time */
  async until<T>(what: string, limitSeconds: number, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const giveUpAt = performance.now() + limitSeconds * 1000;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      if (performance.now() > giveUpAt) {
        throw new LabUnavailable(`${limitSeconds} s passed without this: ${what}`, { hint: await this.#explain() });
      }
      await wait(POLL_MS);
    }
  }

  /** The first page that is so, waited for. */
  delivery(what: string, limitSeconds: number, isIt: (delivery: Delivery) => boolean): Promise<Delivery> {
    return this.until(`a page: ${what}`, limitSeconds, () => this.mailbox.all.find(isIt));
  }

  /** Ends what writes first, then everything that could still tell somebody, then the servers. */
  async end(): Promise<void> {
    await this.#writer.stop();
    await Promise.all([...this.#monitors.values()].map((monitor) => monitor.stop()));
    await Promise.all(this.#pumps.map((pump) => pump.stop()));
    await Promise.all([...this.#schedules.values()].map((schedule) => schedule.stop()));
    this.network.close();
    await this.lab.settled();
    for (const door of this.#doors.values()) door.kill();
    this.carriers.close();
    this.page.kill();
    await this.#running.stop();
  }

  async #explain(): Promise<string> {
    const open = (await this.incidents()).slice(0, 8);
    return [
      ...open.map(
        ({ id, home, status, troubles }) =>
          `${id} of ${home} ${status}: ${troubles.map(({ alarm, subject, status: rings }) => `${alarm} of ${subject} ${rings}`).join(', ')}`,
      ),
      `pages: ${this.mailbox.all
        .slice(-8)
        .map(({ person, method, subject }) => `${person} by ${method}: ${subject}`)
        .join('; ')}`,
      ...this.regions.names.flatMap((region) => this.schedule(region).failures.slice(-2)),
      ...this.log
        .last(200)
        .filter((line) => !line.includes('info task succeeded'))
        .slice(-SHOWN_LINES),
    ].join('\n');
  }
}

function found<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new TypeError(`the lab has no ${String(key)}`);
  return value;
}

/** The name of the endpoint that the links of pages lead to. */
const acknowledgeDoor = endpoints.find(({ name }) => name.startsWith('acknowledge'))?.name;

/** Starts everything. @throws LabUnavailable */
export async function openIncidentWorld(options: IncidentWorldOptions): Promise<IncidentWorld> {
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
    load: loadHospital(options.sizeBytes),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  try {
    return await populate(running, options);
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function populate(running: RunningRegions, { profile, seed }: IncidentWorldOptions): Promise<IncidentWorld> {
  const { regions, network } = running;
  if (!network) throw new TypeError('a breakable lab has a network');
  const replica = { replica: { region: labRegions.standby, lagAlarm } };
  const operations = labOperations(profile, [], regions.state.databaseNames, replica, observedFailover(), labIncidents());
  saveOperations(regions.dir, operations);
  const clock = new LabClock();
  const mailbox = new Mailbox();
  const people = { mailbox, page: await openMailboxServer(mailbox), carriers: await Carriers.open(mailbox, clock) };
  const queues = new Map(regions.names.map((region) => [region, memorySignalQueue({ clock, visibilitySeconds: 30 })]));
  const doors = new Map<string, HttpServer>();
  let lab: Lab | undefined;
  let world: IncidentWorld | undefined;
  for (const region of regions.names) {
    for (const endpoint of endpoints) doors.set(`${region}/${endpoint.name}`, await openDoor(endpoint, () => lab?.host(region)));
  }
  const log = new RecentLog();
  lab = new Lab(regions, operations, clock, {
    network,
    logOf: (region) => handlerLog(regions.paths(region), log.of(region)),
    doors: {
      channels: labChannels(people.carriers),
      alarmStates: { state: async (region, alarmName) => world?.monitor(region).cloudWatch.state(alarmName) },
      signalQueue: (region) => found(queues, region),
      acknowledgeAddress: (region) => doors.get(`${region}/${acknowledgeDoor}`)?.url,
    },
  });
  await lab.machines(); // Synthesized now: while it goes on, nothing else does.
  world = new IncidentWorld(running, network, lab, log, people, { queues, doors }, seed);
  try {
    const { stores } = lab;
    await world.until(
      'the first lease, over a complete fence',
      FIRST_LEASE_SECONDS,
      () => storedRecord(stores.coordination)?.fenced || undefined,
    );
    world.watch();
  } catch (error) {
    await world.end();
    throw error;
  }
  return world;
}
