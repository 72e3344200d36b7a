import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { sequenceAuditLog } from '../../functions/audit/log/sequence-audit-log.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { auditBusName } from '../../functions/common/names.ts';
import { Operations } from '../../functions/common/operations.ts';
import { memoryChannels } from '../../functions/memory/channels.ts';
import { type MemorySignalQueue, memorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { consumerLists, endpointLists } from '../../functions/tasks.ts';
import { LabClock } from '../clock.ts';
import { LabUnavailable } from '../errors.ts';
import { handlerLog } from '../failover/handler-log.ts';
import { RecentLog } from '../failover/recent-log.ts';
import { RegionSchedule } from '../failover/region-schedule.ts';
import type { HttpServer } from '../incident/http-server.ts';
import { type Pump, startPump } from '../incident/pump.ts';
import { Lab } from '../lab.ts';
import type { Network } from '../network/network.ts';
import { labDatabaseId, labOperations, labRegions, type Profile, saveOperations } from '../operations.ts';
import type { Regions } from '../regions.ts';
import { seededRandom } from '../seeded-random.ts';
import type { RunningRegions } from '../start.ts';
import { startEmptyRegions } from '../start-empty.ts';
import { CheckpointTimes } from './checkpoint-times.ts';
import { type EventBridge, openEventBridge } from './event-bridge.ts';
import { auditLogDir } from './objects.ts';
import { sequencing } from './sequencers.ts';
import { openSignedDoor } from './signed-door.ts';
import type { Principal } from './verify-signature.ts';

const POLL_MS = 20;
const SHOWN_LINES = 40;
/** Deliveries of the bus that come once more although they were taken. */
const REPEATED = 0.1;

/** Who may log in the lab. Keys of nothing but doors of this machine. */
export const application: Principal = {
  arn: 'arn:aws:sts::000000000000:assumed-role/records/lab',
  accessKeyId: 'AKIALABRECORDS000000',
  secretAccessKey: 'lab-secret-access-key-of-records',
};

/** How events come into each Region. */
interface Entrances {
  readonly doors: ReadonlyMap<Region, HttpServer>;
  readonly eventBridges: ReadonlyMap<Region, EventBridge>;
  readonly buses: ReadonlyMap<Region, MemorySignalQueue>;
}

/** A lab in which applications log: three Regions with their doors, buses, consumers and sequencers. Codeblue itself is the deployed code. */
export class AuditWorld {
  readonly lab: Lab;
  readonly regions: Regions;
  readonly network: Network;
  readonly log: RecentLog;
  readonly checkpoints: CheckpointTimes;
  readonly seed: number;
  readonly #running: RunningRegions;
  readonly #doors: ReadonlyMap<Region, HttpServer>;
  readonly #eventBridges: ReadonlyMap<Region, EventBridge>;
  readonly #buses: ReadonlyMap<Region, MemorySignalQueue>;
  readonly #schedules: ReadonlyMap<Region, RegionSchedule>;
  readonly #pumps: readonly Pump[];

  constructor(
    running: RunningRegions,
    network: Network,
    lab: Lab,
    log: RecentLog,
    { doors, eventBridges, buses }: Entrances,
    seed: number,
  ) {
    this.#running = running;
    this.regions = running.regions;
    this.network = network;
    this.lab = lab;
    this.log = log;
    this.seed = seed;
    this.#doors = doors;
    this.#eventBridges = eventBridges;
    this.#buses = buses;
    const { names } = this.regions;
    this.checkpoints = new CheckpointTimes(this.regions, lab.operations.audit.generation);
    this.#schedules = new Map(names.map((region) => [region, new RegionSchedule(lab, region)]));
    this.#pumps = names.flatMap((region) =>
      consumerLists.audit.map((consumer) =>
        startPump({ consumer, queue: this.bus(region), host: () => lab.host(region), isUp: () => this.regions.faults.isUp(region) }),
      ),
    );
    for (const region of names) this.startSequencer(region);
  }

  /** The address for events in that Region. */
  door(region: Region): HttpServer {
    return found(this.#doors, region);
  }

  /** The address of EventBridge in that Region. */
  eventBridge(region: Region): EventBridge {
    return found(this.#eventBridges, region);
  }

  /** What EventBridge delivers into, behind that Region's bus. */
  bus(region: Region): MemorySignalQueue {
    return found(this.#buses, region);
  }

  /** Directory of the newest log of a Region. */
  logDir(region: Region): string {
    return join(auditLogDir(this.regions.paths(region)), String(this.lab.operations.audit.generation));
  }

  /** Deploys another policy of the audit log to every Region; runs that go on have the old one until they are relieved or started anew. */
  deploy(audit: Partial<Operations['audit']>): void {
    const { operations } = this.lab;
    const next = Operations.parse({ ...operations, audit: { ...operations.audit, ...audit } });
    saveOperations(this.regions.dir, next);
    this.lab.deploy(next);
  }

  /** Takes the place of the one that runs. */
  startSequencer(region: Region): void {
    found(this.#schedules, region).start(sequencing);
  }

  /** Ends it at once, wherever it is. */
  killSequencer(region: Region): void {
    found(this.#schedules, region).kill(sequenceAuditLog.name);
  }

  /** Everything of a Region ends: its doors, its runs, its files. */
  killRegion(region: Region): void {
    this.network.kill(this.regions, region);
    this.door(region).kill();
    this.eventBridge(region).server.kill();
  }

  async reviveRegion(region: Region): Promise<void> {
    await this.network.revive(this.regions, region);
    await this.door(region).revive();
    await this.eventBridge(region).server.revive();
    this.startSequencer(region);
  }

  /** Resolves with what `look` finds as soon as it finds something. @throws LabUnavailable when it does not within that time */
  async until<T>(what: string, limitSeconds: number, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const giveUpAt = performance.now() + limitSeconds * 1000;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      if (performance.now() > giveUpAt)
        throw new LabUnavailable(`${limitSeconds} s passed without this: ${what}`, { hint: this.#explain() });
      await wait(POLL_MS);
    }
  }

  /** Until nothing waits for its place in the logs of these Regions. */
  async integrated(regions: readonly Region[], limitSeconds: number): Promise<void> {
    for (const region of regions) {
      const { auditQueue, auditHead } = this.lab.ports(region);
      await this.until(`nothing waits in ${region}`, limitSeconds, async () => {
        const [waiting] = await auditQueue.pending(1);
        const head = await auditHead.read();
        return waiting || head?.claimed ? undefined : true;
      });
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#pumps.map((pump) => pump.stop()));
    await Promise.all([...this.#schedules.values()].map((schedule) => schedule.stop()));
    this.checkpoints.stop();
    this.network.close();
    await this.lab.settled();
    for (const server of [...this.#doors.values(), ...[...this.#eventBridges.values()].map((bridge) => bridge.server)]) server.kill();
    await this.#running.stop();
  }

  #explain(): string {
    const failures = [...this.#schedules.values()].flatMap((schedule) => schedule.failures.slice(-3));
    return [...failures, ...this.log.last(SHOWN_LINES)].join('\n');
  }
}

function found<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new TypeError(`the lab has no ${String(key)}`);
  return value;
}

/** Starts everything. @throws LabUnavailable */
export async function openAuditWorld({ profile, seed }: { readonly profile: Profile; readonly seed: number }): Promise<AuditWorld> {
  const running = await startEmptyRegions({
    deployment: 'lab',
    databaseId: DatabaseId.parse(labDatabaseId),
    regions: {
      primary: Region.parse(labRegions.primary),
      standby: Region.parse(labRegions.standby),
      tertiary: Region.parse(labRegions.tertiary),
    },
    seed,
  });
  try {
    return await populate(running, profile, seed);
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function populate(running: RunningRegions, profile: Profile, seed: number): Promise<AuditWorld> {
  const { regions, network } = running;
  if (!network) throw new TypeError('a breakable lab has a network');
  const operations = labOperations(profile, [], regions.state.databaseNames);
  saveOperations(regions.dir, operations);
  const clock = new LabClock();
  const random = seededRandom(seed);
  const buses = new Map(
    regions.names.map((region) => [
      region,
      memorySignalQueue({ clock, visibilitySeconds: 5, random, repeated: REPEATED, name: `${region}-` }),
    ]),
  );
  const [endpoint] = endpointLists.audit;
  if (!endpoint) throw new TypeError('there is a door for events');
  const doors = new Map<Region, HttpServer>();
  const eventBridges = new Map<Region, EventBridge>();
  let lab: Lab | undefined;
  for (const region of regions.names) {
    const host = () => (lab && regions.faults.isUp(region) ? lab.host(region) : undefined);
    doors.set(region, await openSignedDoor(endpoint, region, [application], host));
    const bus = { region, account: operations.account, busName: auditBusName(operations), principals: [application] };
    eventBridges.set(region, await openEventBridge({ ...bus, queue: found(buses, region) }));
  }
  const log = new RecentLog();
  lab = new Lab(regions, operations, clock, {
    network,
    logOf: (region) => handlerLog(regions.paths(region), log.of(region)),
    doors: { channels: memoryChannels(clock), signalQueue: (region) => found(buses, region), acknowledgeAddress: () => undefined },
  });
  return new AuditWorld(running, network, lab, log, { doors, eventBridges, buses }, seed);
}
