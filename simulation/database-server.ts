import type { DatabaseId, Region } from '../functions/common/ids.ts';
import type { Epoch } from '../functions/failover/models.ts';
import type { MachineClock } from './machine-clock.ts';
import type { Network } from './network.ts';
import type { Micros, VirtualTime } from './virtual-time.ts';

/** The lease row inside the database, and what replicates with it. */
export interface LeaseRow {
  readonly epoch: Epoch;
  readonly holder: Region | undefined;
  readonly untilMicros: number;
  readonly closedFor: Epoch | undefined;
  readonly replacedIn?: Epoch | undefined;
  readonly replacedAt?: Region | undefined;
}

/** One durable change, with everything as it stands after it: what a replica that has applied it shows. */
export interface LogEntry {
  readonly at: Micros;
  readonly lease: LeaseRow;
  readonly transactions: number;
  readonly canary: { readonly seq: number; readonly writtenMicros: number };
  /** Set for the commit of a client: in which epoch it passed its check, and when. It is durable, and acknowledged, by `commitTakes` later. */
  readonly commit: { readonly epoch: Epoch; readonly acceptedAt: Micros } | undefined;
}

/** A client's transaction between its first write and its commit. */
export interface OpenTransaction {
  killed: boolean;
  readonly bornInStart: number;
}

/** What a server does differently when it is broken on purpose. */
export interface ServerFlaws {
  /** The check at commit is missing: only statements are refused. */
  readonly noCommitCheck?: boolean;
  /** One that was replaced takes a lease of the epoch that belongs to its replacement. */
  readonly replacedTakesLeases?: boolean;
  /** Leases of any epoch are taken. */
  readonly epochNotCompared?: boolean;
  /** A restart forgets the lease, and a server without one takes every write. */
  readonly leaseForgottenAtStart?: boolean;
}

export interface ServerSettings {
  readonly databaseId: DatabaseId;
  readonly region: Region;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly clock: MachineClock;
  /** Longest time between the check at commit and the commit record on disk. */
  readonly commitTakes: Micros;
  readonly flaws: ServerFlaws;
  /** Told when it may have begun to accept writes. */
  readonly onOpened: (server: DatabaseServer) => void;
  readonly onCommit: (server: DatabaseServer, entry: LogEntry) => void;
}

/**
 * A model of one PostgreSQL server with the fence of ADR 6: a lease row, a check at each statement and at commit, a write-ahead log that is
 * durable, and a replica that shows a prefix of its source's log.
 */
export class DatabaseServer {
  readonly databaseId: DatabaseId;
  readonly region: Region;
  readonly #settings: ServerSettings;
  readonly log: LogEntry[];
  role: 'primary' | 'replica';
  /** For messages: its Region, and what it is where it has not the config's name. */
  label: string;
  /** A restored copy that nobody but whoever made it reaches yet. */
  isIsolated = false;
  /** People switched it off: nobody else starts it again. */
  isOff = false;
  /** Its process runs; its Region may be lost all the same. */
  running = true;
  /** Tables that nothing fences. */
  unfenced: readonly string[] = [];
  promotingSince: Micros | undefined;
  availableFrom: Micros;
  #source: { readonly server: DatabaseServer; lag: Micros; since: Micros | undefined } | undefined;
  #starts = 0;
  #lastRecordAt: Micros = 0;
  readonly #open = new Set<OpenTransaction>();

  /** @param history what a primary's log begins with; at least one entry @param source what it copies from; undefined for a primary */
  constructor(
    settings: ServerSettings,
    history: readonly LogEntry[],
    source?: { readonly server: DatabaseServer; readonly lag: Micros; readonly readyAt: Micros },
  ) {
    this.#settings = settings;
    this.databaseId = settings.databaseId;
    this.region = settings.region;
    this.label = settings.region;
    this.role = source ? 'replica' : 'primary';
    this.availableFrom = source?.readyAt ?? 0;
    this.#source = source && { server: source.server, lag: source.lag, since: source.readyAt };
    this.log = source ? [...source.server.log] : [...history];
  }

  get isUp(): boolean {
    return this.running && this.#settings.network.isUp(this.region) && this.#settings.time.now >= this.availableFrom;
  }

  /** How often it was started: connections end with each stop. */
  get starts(): number {
    return this.#starts;
  }

  get newest(): LogEntry {
    this.catchUp();
    const entry = this.log.at(-1);
    if (!entry) throw new RangeError('a server always has a first entry');
    return entry;
  }

  get lease(): LeaseRow {
    return this.newest.lease;
  }

  get source(): DatabaseServer | undefined {
    return this.role === 'replica' ? this.#source?.server : undefined;
  }

  /** Microseconds since 1970 by its own clock, now or at that moment. */
  showClock(at: Micros = this.#settings.time.now): number {
    return this.#settings.clock.show(at);
  }

  /** Whether a statement that writes would be accepted now. */
  get isOpen(): boolean {
    return this.isUp && !this.isIsolated && this.role === 'primary' && (this.#forgot || this.showClock() < this.lease.untilMicros);
  }

  /** The last instant at which a commit could still become durable if nothing changes; undefined when none can. */
  get lastPossibleCommit(): Micros | undefined {
    if (!this.isUp || this.isIsolated || this.role !== 'primary') return undefined;
    const { clock, commitTakes, time } = this.#settings;
    const lapses = this.#forgot ? Number.POSITIVE_INFINITY : clock.reaches(this.lease.untilMicros);
    return lapses + commitTakes > time.now ? lapses + commitTakes : undefined;
  }

  get #forgot(): boolean {
    return this.#starts > 0 && this.#settings.flaws.leaseForgottenAtStart === true;
  }

  /** Applies what has arrived from the source by now. Called before anything looks at a replica, and before the way to it changes. */
  catchUp(): void {
    const source = this.#source;
    if (this.role !== 'replica' || !source || source.since === undefined || !this.#settings.network.isUp(this.region)) return;
    const { log } = source.server;
    for (let entry = log[this.log.length]; entry; entry = log[this.log.length]) {
      if (Math.max(entry.at, source.since) + source.lag > this.#settings.time.now) return;
      this.log.push(entry);
    }
  }

  /** The stream from the source is up from `since` on, or broken. */
  setStream(since: Micros | undefined): void {
    this.catchUp();
    if (this.#source) this.#source.since = since;
  }

  setLag(lag: Micros): void {
    this.catchUp();
    if (this.#source) this.#source.lag = lag;
  }

  get streams(): boolean {
    return this.#source?.since !== undefined;
  }

  append(change: Partial<Omit<LogEntry, 'at'>>): LogEntry {
    const { lease, transactions, canary } = this.newest;
    const entry: LogEntry = { lease, canary, commit: undefined, ...change, transactions: transactions + 1, at: this.#settings.time.now };
    this.log.push(entry);
    return entry;
  }

  /** Sets the end of the lease, as the fence's function does. @returns false when it has seen a later epoch */
  renew(epoch: Epoch, holder: Region, untilMicros: number, primarySince?: Epoch): boolean {
    const { lease } = this;
    if (epoch < lease.epoch && !this.#settings.flaws.epochNotCompared) return false;
    if (this.isReplacedFor(primarySince, holder) && !this.#settings.flaws.replacedTakesLeases) return false;
    const longest = epoch === lease.epoch && epoch > 0 ? Math.max(lease.untilMicros, untilMicros) : untilMicros;
    this.append({ lease: { ...lease, epoch, holder, untilMicros: longest, replacedIn: undefined, replacedAt: undefined } });
    this.#settings.onOpened(this);
    return true;
  }

  /** Whether a copy took its place before, or when, the primaries that somebody knows of were opened. */
  isReplacedFor(primarySince: Epoch | undefined, region: Region | undefined): boolean {
    const { replacedAt, replacedIn = 0 } = this.lease;
    return replacedAt !== undefined && replacedAt === region && replacedIn <= (primarySince ?? 0);
  }

  /** Closes at once. @returns when the last commit that had passed its check is durable */
  close(epoch: Epoch): Micros {
    this.append({
      lease: {
        epoch,
        holder: undefined,
        untilMicros: 0,
        closedFor: this.lease.closedFor,
        replacedIn: this.lease.replacedIn,
        replacedAt: this.lease.replacedAt,
      },
    });
    for (const transaction of this.#open) transaction.killed = true;
    return Math.max(this.#settings.time.now, this.#lastRecordAt) + 1;
  }

  /** The last write of all before `epoch`. Undefined when somebody opened it for that epoch or a later one meanwhile. */
  mark(epoch: Epoch, replacedAt?: Region): LogEntry | undefined {
    if (this.lease.epoch !== epoch || this.lease.holder !== undefined) return undefined;
    return this.append({ lease: { ...this.lease, closedFor: epoch, ...(replacedAt ? { replacedIn: epoch, replacedAt } : {}) } });
  }

  /** A client's first write. @returns undefined when it is refused */
  begin(): OpenTransaction | undefined {
    if (!this.isOpen) return undefined;
    const transaction = { killed: false, bornInStart: this.#starts };
    this.#open.add(transaction);
    return transaction;
  }

  /** A client's commit. It is durable `takes` later, unless it is refused or the server dies before that. */
  commit(transaction: OpenTransaction, takes: Micros, canarySeconds: number): boolean {
    this.#open.delete(transaction);
    const { time, flaws, onCommit } = this.#settings;
    const passes = flaws.noCommitCheck || this.isOpen;
    if (!this.isUp || this.role !== 'primary' || transaction.killed || transaction.bornInStart !== this.#starts || !passes) return false;
    const start = this.#starts;
    const commit = { epoch: this.lease.epoch, acceptedAt: time.now };
    this.#lastRecordAt = Math.max(this.#lastRecordAt, time.now + takes);
    time.after(takes, () => {
      if (this.#starts !== start || !this.isUp) return;
      const { canary } = this.newest;
      const shown = this.showClock();
      const isDue = shown - canary.writtenMicros >= canarySeconds * 1_000_000;
      const entry = this.append({ commit, ...(isDue ? { canary: { seq: canary.seq + 1, writtenMicros: shown } } : {}) });
      onCommit(this, entry);
    });
    return true;
  }

  /** Its process dies: open transactions are gone, the log stays. */
  stop(): void {
    this.catchUp();
    this.running = false;
    this.#open.clear();
    this.#starts++;
  }

  start(): void {
    if (this.isOff) return;
    this.running = true;
    this.#settings.onOpened(this);
  }

  /** Gets another name, which takes a restart on RDS ("Renaming a DB instance"); its open transactions and connections are gone. */
  rename(): void {
    if (!this.running) return;
    this.stop();
    this.start();
  }

  /** A restored copy is reached under a name from now on, and answers from `at` on. */
  comeForward(at: Micros): void {
    this.isIsolated = false;
    this.availableFrom = at;
    this.#settings.time.at(at, () => this.#settings.onOpened(this));
  }

  /** Stops following; writable once `finishPromotion` is called. */
  beginPromotion(): void {
    this.catchUp();
    this.#source = undefined;
    this.promotingSince = this.#settings.time.now;
  }

  finishPromotion(): void {
    this.role = 'primary';
    this.promotingSince = undefined;
    this.#settings.onOpened(this);
  }
}
