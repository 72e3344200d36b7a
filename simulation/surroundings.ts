import { actOfEvent, eventOfAct } from '../functions/audit/events/act-event.ts';
import type { AuditEvent } from '../functions/audit/ports.ts';
import { ServiceUnavailable } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import { metricNames } from '../functions/maintenance/metric-names.ts';
import type { SimulatedExecutions } from './executions.ts';
import type { Monitor } from './monitor.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import { type Micros, toMicros, type VirtualTime } from './virtual-time.ts';

export interface Notice {
  readonly at: Micros;
  readonly region: Region;
  readonly severity: number;
  readonly subject: string;
}

export interface SurroundingsSettings {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly random: Random;
  readonly monitor: Monitor;
  readonly executions: () => SimulatedExecutions;
  readonly operations: Operations;
}

/** Everything around the protocol: the audit log, the ledger, what people hear, what the workload does. */
export class Surroundings {
  readonly events = new Map<string, AuditEvent>();
  /** Processes that recorded an intent, by act. */
  readonly actors = new Map<string, Process>();
  readonly notices: Notice[] = [];
  readonly reports = new Map<string, Uint8Array>();
  /** Regions whose services do not answer although the Region is there. */
  readonly sickServices = new Set<Region>();
  /** Observers whose probes fail now and then, with the probability. */
  readonly flapping = new Map<Region, number>();
  /** How many subjects each Region's observer told that it has never seen healthy: what rings `ObserverBlind`. */
  readonly blindSubjects = new Map<Region, number>();
  /** For how long a change has not ended, by each Region's observer: what rings `FailoverUnfinished`. */
  readonly unfinishedSeconds = new Map<Region, number>();
  readonly #claims = new Map<string, { readonly at: Micros; readonly region: Region }>();
  readonly #strength = new Map<string, { readonly wanted: number; readonly before: number; readonly reachedAt: Micros }>();
  readonly #given: SurroundingsSettings;

  constructor(given: SurroundingsSettings) {
    this.#given = given;
  }

  ports(process: Process): Omit<Partial<Ports>, 'coordination' | 'fences' | 'replicas' | 'sqlServers'> {
    return {
      auditLog: this.#auditLog(process),
      ledger: this.#ledger(process),
      metrics: {
        put: async ({ name, value }) => {
          if (name === metricNames.failover.blind) this.blindSubjects.set(process.region, value);
          if (name === metricNames.failover.unfinishedSeconds) this.unfinishedSeconds.set(process.region, value);
        },
      },
      executions: this.#executions(process),
      probes: this.#probes(process),
      capacity: this.#capacity(process),
      routingControls: {
        switchTo: (region) => this.#act(process, 'routingControls.switchTo', region, () => {}),
      },
      networkFence: {
        isolate: (_, region) => this.#act(process, 'networkFence.isolate', region, () => 1),
        restore: (_, region) => this.#act(process, 'networkFence.restore', region, () => 1),
      },
      notices: {
        publish: ({ region, severity, subject }) =>
          this.#ask(
            process,
            'notices.publish',
            region,
            () => void this.notices.push({ at: this.#given.time.now, region, severity, subject }),
          ),
      },
      reports: {
        put: (region, key, body) => this.#ask(process, 'reports.put', region, () => void this.reports.set(`${region}/${key}`, body)),
        get: (region, key) => this.#ask(process, 'reports.get', region, () => this.reports.get(`${region}/${key}`)),
        list: (region, prefix) =>
          this.#ask(process, 'reports.list', region, () =>
            [...this.reports.keys()]
              .flatMap((each) => (each.startsWith(`${region}/${prefix}`) ? [each.slice(region.length + 1)] : []))
              .sort(),
          ),
      },
    };
  }

  #ask<T>(process: Process, name: string, region: Region, effect: () => T): Promise<T> {
    return this.#given.network.call(process, { name, to: () => region, effect });
  }

  #act<T>(process: Process, name: string, region: Region, effect: () => T): Promise<T> {
    this.#given.monitor.acted(name, process);
    return this.#ask(process, name, region, effect);
  }

  #auditLog(process: Process): Ports['auditLog'] {
    return {
      record: (given) => {
        const event = asItIsKept(given);
        return this.#ask(process, `audit ${event.phase} ${event.action}`, process.region, () => {
          if (!this.events.has(event.eventId)) this.events.set(event.eventId, event);
          if (event.phase === 'intent') {
            process.openActs.add(event.actId);
            this.actors.set(event.actId, process);
          } else process.openActs.delete(event.actId);
        });
      },
      act: async (actId) => [...this.events.values()].filter((event) => event.actId === actId),
      recent: async () => [...this.events.values()],
    };
  }

  /** A global table: each Region writes its own replica, and the others see it a second later. */
  #ledger(process: Process): Ports['ledger'] {
    const { time } = this.#given;
    return {
      claim: ({ task, key, scheduledAt }) =>
        this.#ask(process, 'ledger.claim', process.region, () => {
          const id = `${task}#${key}#${scheduledAt}`;
          const claimed = this.#claims.get(id);
          if (claimed && (claimed.region === process.region || time.now - claimed.at > toMicros(1))) return false;
          this.#claims.set(id, { at: time.now, region: process.region });
          return true;
        }),
      finish: async () => {},
      lastSuccess: async () => undefined,
    };
  }

  #executions(process: Process): Ports['executions'] {
    const { executions } = this.#given;
    return {
      start: ({ input, ...ref }) => this.#ask(process, `executions.start ${ref.name}`, ref.region, () => executions().start(ref, input)),
      describe: (ref) => this.#ask(process, 'executions.describe', ref.region, () => executions().describe(ref)),
    };
  }

  #probes(process: Process): Ports['probes'] {
    const { network, random, operations } = this.#given;
    return {
      http: async (url, timeoutSeconds) => {
        const region = Object.values(operations.regions).find((each) => url.includes(each));
        if (!region) throw new RangeError(`no Region in the address ${url}`);
        const isService = operations.failover.services.some(({ health }) => Object.values(health).includes(url));
        const effect = () => {
          if (isService && this.sickServices.has(region)) throw new ServiceUnavailable('503');
          return { ok: true, says: '200' };
        };
        if (random.chance(this.flapping.get(process.region) ?? 0)) return { ok: false, says: 'refused' };
        try {
          return await network.call(process, { name: 'probe', to: () => region, effect, timeout: toMicros(timeoutSeconds) });
        } catch (error) {
          return { ok: false, says: error instanceof Error ? error.message.slice(0, 200) : 'failed' };
        }
      },
    };
  }

  #capacity(process: Process): Ports['capacity'] {
    const { time, random, operations } = this.#given;
    const strengthOf = (region: Region, name: string) => {
      const item = operations.failover.capacity.find((each) => each.name === name);
      const usual = (region === operations.regions.primary ? item?.active : item?.standby) ?? 0;
      return this.#strength.get(`${region}/${name}`) ?? { wanted: usual, before: usual, reachedAt: 0 };
    };
    const running = ({ wanted, before, reachedAt }: ReturnType<typeof strengthOf>) => (time.now < reachedAt ? before : wanted);
    return {
      scale: ({ region, name }, count, rule) =>
        this.#act(process, 'capacity.scale', region, () => {
          const strength = strengthOf(region, name);
          if (count === strength.wanted || (rule === 'at-least' && count < strength.wanted)) return;
          const reachedAt = time.now + random.int(toMicros(1), toMicros(20));
          this.#strength.set(`${region}/${name}`, { wanted: count, before: running(strength), reachedAt });
        }),
      /** A part at a time: as many run as before. */
      restart: ({ region }) => this.#act(process, 'capacity.restart', region, () => {}),
      describe: ({ region, name }) =>
        this.#ask(process, 'capacity.describe', region, () => {
          const strength = strengthOf(region, name);
          return { wanted: strength.wanted, running: running(strength) };
        }),
    };
  }
}

/** An act as it comes back from the door of all events, which takes it or throws. Recording and sequencing have a simulation of their own (simulation/audit). */
function asItIsKept(act: AuditEvent): AuditEvent {
  const kept = actOfEvent(eventOfAct(act));
  if (kept === undefined) throw new RangeError(`act ${act.eventId} came back as none`);
  return kept;
}
