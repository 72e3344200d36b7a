import type { DatabaseId, Region } from '../functions/common/ids.ts';
import type { CoordinationRecord, FailoverPlan } from '../functions/failover/models.ts';
import type { DatabaseServer, LogEntry } from './database-server.ts';
import type { Process } from './process.ts';
import type { Micros, VirtualTime } from './virtual-time.ts';

export const promises = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7'] as const;

export interface Violation {
  readonly promise: (typeof promises)[number];
  readonly at: Micros;
  readonly says: string;
}

/** A replica that stopped following to become a primary: where its history parts from its source's. */
export interface Fork {
  readonly server: DatabaseServer;
  readonly source: DatabaseServer;
  /** What led until then under the config's name: another than the source where that was replaced. */
  readonly led: DatabaseServer | undefined;
  readonly plan: FailoverPlan | undefined;
  /** Entries of the source's log that it has. */
  readonly applied: number;
}

/** A restored copy that took the place of a live database. */
export interface Exchange {
  readonly region: Region;
  readonly damaged: DatabaseServer;
  readonly copy: DatabaseServer;
  /** True time of the newest entry that the copy may have. */
  readonly restoredAt: Micros;
  readonly committed: CoordinationRecord['committed'];
}

/** Watches everything that happens and says which promise it breaks. It knows true time and every server, which no part of the protocol does. */
export class Monitor {
  readonly violations: Violation[] = [];
  readonly forks: Fork[] = [];
  readonly exchanges: Exchange[] = [];
  readonly #time: VirtualTime;
  readonly #saneClocks: boolean;
  readonly #servers: () => readonly DatabaseServer[];
  readonly #newestEpoch = new Map<DatabaseId, { readonly epoch: number; readonly server: DatabaseServer }>();
  lastCommitAt: Micros = 0;
  lastCommitBy: DatabaseServer | undefined;
  commits = 0;
  /** Epochs that were claimed. */
  claims = 0;

  constructor(time: VirtualTime, servers: () => readonly DatabaseServer[], saneClocks: boolean) {
    this.#time = time;
    this.#saneClocks = saneClocks;
    this.#servers = servers;
  }

  violated(promise: Violation['promise'], says: string): void {
    this.violations.push({ promise, at: this.#time.now, says });
  }

  /** P1: no two servers of one database can both make a commit durable from now on. */
  opened(server: DatabaseServer): void {
    if (server.lastPossibleCommit === undefined) return;
    for (const other of this.#servers()) {
      if (other === server || other.databaseId !== server.databaseId || other.lastPossibleCommit === undefined) continue;
      const rest = ((other.lastPossibleCommit - this.#time.now) / 1_000_000).toFixed(3);
      this.violated('P1', `${server.label} accepts writes of ${server.databaseId} while ${other.label} still can for ${rest} s`);
    }
  }

  /** P1 once more, as the clients see it: what the loser accepts after the winner's first. */
  committed(server: DatabaseServer, entry: LogEntry): void {
    this.commits++;
    this.lastCommitAt = entry.at;
    this.lastCommitBy = server;
    const epoch = entry.commit?.epoch ?? 0;
    // Before the first lease there is no epoch: a replica that is promoted before it ever received one is open without it, and nobody else can be then.
    if (epoch === 0) return;
    const newest = this.#newestEpoch.get(server.databaseId);
    if (newest && epoch < newest.epoch && newest.server !== server) {
      this.violated(
        'P1',
        `${server.label} accepted a commit in epoch ${epoch} after ${newest.server.label} had accepted one in epoch ${newest.epoch}`,
      );
    } else if (newest && epoch === newest.epoch && newest.server !== server && this.#saneClocks) {
      // A replica inherits the last lease, and where its clock is far behind the old primary's it takes writes before its first own lease; nobody else can then.
      this.violated('P1', `${server.label} and ${newest.server.label} both accepted commits in epoch ${epoch}`);
    } else if (!newest || epoch >= newest.epoch) this.#newestEpoch.set(server.databaseId, { epoch, server });
  }

  /** What the proof in ADR 6 rests on: the record changes by its transitions only. */
  recordChanged(before: CoordinationRecord | undefined, after: CoordinationRecord, by: Process): void {
    if (before?.phase === 'active' && after.phase === 'claimed') this.claims++;
    const wrong = before ? illegal(before, after) : undefined;
    if (wrong) this.violated('P1', `${by.name} wrote a record that must not be: ${wrong}`);
  }

  /** P1: promotion follows a durable commitment of the record to that Region, and nothing else. */
  promoted({ server, source, led }: Pick<Fork, 'server' | 'source' | 'led'>, record: CoordinationRecord | undefined): void {
    const committed = record?.holder === server.region && record.phase !== 'claimed';
    if (!committed) this.violated('P1', `${server.databaseId} in ${server.region} is promoted while the record is ${describe(record)}`);
    this.forks.push({ server, source, led, plan: record?.plan, applied: server.log.length });
  }

  /** P1: so does the exchange of a database, which begins by taking the live one its name. */
  exchanged(exchange: Omit<Exchange, 'committed'>, epoch: number, record: CoordinationRecord | undefined): void {
    const { copy, region } = exchange;
    const isIts = record?.holder === region && record.epoch === epoch && record.phase !== 'claimed';
    if (!isIts)
      this.violated('P1', `${copy.databaseId} in ${region} is replaced for epoch ${epoch} while the record is ${describe(record)}`);
    this.exchanges.push({ ...exchange, committed: record?.committed });
  }

  /** P4: an act without an intent that is durable before it. */
  acted(what: string, by: Process): void {
    if (by.openActs.size === 0) this.violated('P4', `${by.name} does ${what} without an intent in the audit log`);
  }
}

const describe = (record: CoordinationRecord | undefined): string =>
  record ? `${record.phase} for ${record.holder} in epoch ${record.epoch}` : 'absent';

/** Why one record must not follow the other; undefined when it may. */
function illegal(before: CoordinationRecord, after: CoordinationRecord): string | undefined {
  const change = `${describe(before)} to ${describe(after)}`;
  if (after.version !== before.version + 1) return `version ${before.version} to ${after.version}`;
  const sameEpoch = after.epoch === before.epoch && after.holder === before.holder;
  switch (`${before.phase} ${after.phase}`) {
    case 'active active':
    case 'promoting active':
    case 'claimed promoting':
      return sameEpoch ? undefined : change;
    case 'active claimed':
      return after.epoch === before.epoch + 1 && after.plan?.epoch === after.epoch && after.holder === after.plan.to ? undefined : change;
    case 'claimed active':
      return after.epoch === before.epoch + 1 && after.holder === before.plan?.from ? undefined : change;
    default:
      return change;
  }
}
