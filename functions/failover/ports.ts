import type { DatabaseId, Region, Timestamp } from '../common/ids.ts';
import type {
  ApprovalAnswer,
  ApprovalRequest,
  Containment,
  CoordinationRecord,
  Epoch,
  FenceReceipt,
  Hold,
  Position,
  RunbookApproval,
  Vote,
} from './models.ts';

/**
 * Who leads, and what the observers say. One DynamoDB table with multi-Region strong consistency: available while two of its three Regions
 * are, from either Region that has a replica.
 *
 * @throws ServiceUnavailable when the table does not answer: a write may or may not have happened then; read again before anything else
 */
export interface Coordination {
  /** Strongly consistent. Undefined before the first guardian. */
  read(): Promise<CoordinationRecord | undefined>;
  /** What the nearest replica knows, perhaps stale. For "should this task run here?" only. */
  peek(): Promise<CoordinationRecord | undefined>;
  /** The first record. @throws Conflict when there is one */
  create(record: CoordinationRecord): Promise<void>;
  /** Replaces if the stored `version` is `record.version`, stores `version + 1`. @returns what is stored now @throws Conflict */
  replace(record: CoordinationRecord): Promise<CoordinationRecord>;

  /** The newest vote of each observer. */
  votes(): Promise<readonly Vote[]>;
  castVote(vote: Vote): Promise<void>;

  receipt(region: Region, epoch: Epoch): Promise<FenceReceipt | undefined>;
  putReceipt(receipt: FenceReceipt): Promise<void>;

  /** Asking the same question again finds the first request. @returns what is stored */
  ask(request: ApprovalRequest): Promise<ApprovalRequest>;
  requests(): Promise<readonly ApprovalRequest[]>;
  /** The same for automated runbooks, whose questions nobody who moves the lead has to know. */
  askForRunbook(request: RunbookApproval): Promise<RunbookApproval>;
  runbookRequests(): Promise<readonly RunbookApproval[]>;
  /** The first answer to a hash counts. @returns what is stored */
  answer(answer: ApprovalAnswer): Promise<ApprovalAnswer>;
  answerTo(hash: string): Promise<ApprovalAnswer | undefined>;

  hold(): Promise<Hold | undefined>;
  /** Undefined takes the hold away. */
  putHold(hold: Hold | undefined): Promise<void>;

  containment(): Promise<Containment | undefined>;
  /** Undefined ends it. */
  putContainment(containment: Containment | undefined): Promise<void>;
}

/** The lease inside one database server, all of its databases together. */
export interface Fence {
  /** Microseconds since 1970 by the DATABASE's clock: read before the coordination record is renewed, a lease of `clock + length` can never outlive the renewal's. */
  clock(): Promise<number>;
  /** Writes are accepted until then. False when the database has seen a later epoch, or was replaced: nothing changed. Never shortens a lease of the same epoch. */
  renew(lease: LeaseGiven): Promise<boolean>;
  /**
   * Refuses writes from now on and for every epoch before `epoch`. Resolves only when no transaction is left that could still commit a write;
   * then writes the closing mark, the last write of all: a replica that shows it has everything.
   *
   * `replaced`: a restored copy takes its place in this very epoch. It takes no lease, then, from anybody who knows primaries that were opened in it or later.
   *
   * @throws Conflict when a lease of this epoch, or of a later one, was given: it is too late to close for it; and when this database was replaced
   *   and does not lead any more: a name that still leads to it must not tell that the primary is closed
   */
  close(epoch: Epoch, closing?: Closing): Promise<Position>;
  state(): Promise<FenceState>;
  position(): Promise<Position>;
  end(): Promise<void>;
}

/** `primarySince` of the coordination record, as whoever asks knows it; left out where nothing has ever moved. */
interface KnownPrimaries {
  readonly primarySince?: Epoch | undefined;
}

export interface LeaseGiven extends KnownPrimaries {
  readonly epoch: Epoch;
  readonly holder: Region;
  readonly untilMicros: number;
}

export interface Closing extends KnownPrimaries {
  /** Where the database stands that whoever asks means. */
  readonly region?: Region;
  readonly replaced?: boolean;
}

export interface FenceState {
  /** False when not one table is fenced. */
  readonly installed: boolean;
  readonly epoch: Epoch;
  readonly holder: Region | undefined;
  readonly untilMicros: number;
  /** Whether a write would be accepted now. */
  readonly open: boolean;
  /** The highest epoch for which the database was closed; on a replica: everything before that closing has arrived. */
  readonly closedFor: Epoch | undefined;
  /** The epoch in which a copy takes its place; on a replica: it follows a primary that was replaced, or was to be. Undefined otherwise. */
  readonly replacedIn: Epoch | undefined;
  /** `database.schema.table` of application tables that are not fenced. */
  readonly unfenced: readonly string[];
  /** `pg_is_in_recovery()`. */
  readonly isReplica: boolean;
  /** `pg_current_snapshot()` of each database of the server, by its name. */
  readonly snapshots: Readonly<Record<string, string>>;
}

export interface Fences {
  /** Connects to the live database of that Region. @throws ServiceUnavailable when it does not answer within the time that `failover.observe.timeout` allows */
  open(databaseId: DatabaseId, region: Region): Promise<Fence>;
  /** Connects to a copy that `Replicas.prepareSwap` has made fit, under its own name. @throws ServiceUnavailable, NotFound */
  openCopy(copy: SwapRequest): Promise<Fence>;
}

export interface ReplicaState {
  readonly databaseId: DatabaseId;
  readonly region: Region;
  readonly role: 'primary' | 'replica' | 'absent';
  readonly status: 'available' | 'creating' | 'promoting' | 'failed';
  /** The service's own words, for people. */
  readonly says: string;
}

/**
 * The database service's side of a failover. Every call goes to the control plane of the Region it names and to no other. Starts return at
 * once and are idempotent: what is already so is no error.
 *
 * @throws ServiceUnavailable for a state that passes (RDS refuses promotion while the replica is backing up)
 */
export interface Replicas {
  describe(databaseId: DatabaseId, region: Region): Promise<ReplicaState>;
  /** Makes the replica of that Region a writable primary. `switchover` only where the service can do it without loss (Aurora); RDS promotes in both. */
  promote(request: { readonly databaseId: DatabaseId; readonly region: Region; readonly kind: 'failover' | 'switchover' }): Promise<void>;
  /**
   * Makes a new replica of `from`'s primary in `region` under the name that the config gives it. What stood there before is kept aside, named by
   * the epoch, and never removed by Codeblue. Aurora does this by itself: then it only looks.
   */
  rebuild(request: {
    readonly databaseId: DatabaseId;
    readonly region: Region;
    readonly from: Region;
    readonly epoch: Epoch;
  }): Promise<void>;
  /**
   * Makes a restored copy fit to stand in the live database's place, as far as that goes without touching the live one: out of isolation into its network,
   * with its groups and credentials, and kept (it no longer expires). Each call goes one step on; again until it is `available`.
   *
   * @throws NotOwned when the copy is not this deployment's, or of another database; InvalidInput where the service has no way to do it (an Aurora cluster of a
   *   global database cannot be exchanged)
   */
  prepareSwap(request: SwapRequest): Promise<ReplicaState>;
  /**
   * Puts the prepared copy in the live database's place: the live one is renamed to `<identifier>-damaged-<epoch>` and kept, never removed by Codeblue; the copy gets
   * its name, and with it whatever follows the name. Each call goes one step on, also after a crash; again until it tells `primary`, `available`.
   */
  swapIn(request: SwapRequest & { readonly epoch: Epoch }): Promise<ReplicaState>;
  /** A temporary promoted copy beside the real replica, for rehearsals: owned, expiring, seen by `Databases.listRestored` and removed through `removeRestored`. */
  createRehearsal(request: {
    readonly databaseId: DatabaseId;
    readonly region: Region;
    readonly from: Region;
    readonly restoredId: string;
    readonly expiresAt: Date;
  }): Promise<void>;
  /** Promotes the rehearsal replica. */
  promoteRehearsal(request: { readonly databaseId: DatabaseId; readonly region: Region; readonly restoredId: string }): Promise<void>;
}

export interface SwapRequest {
  readonly databaseId: DatabaseId;
  readonly region: Region;
  readonly restoredId: string;
}

/** Asks an address as a health checker would. Redirects are not followed, bodies are not read. */
export interface Probes {
  /** Never throws: not answering is an answer. */
  http(url: string, timeoutSeconds: number): Promise<{ readonly ok: boolean; readonly says: string }>;
}

/** One thing of the workload that runs at some strength in a Region: see `failover.capacity` in the config. */
export interface CapacityTarget {
  readonly name: string;
  readonly region: Region;
}

export interface Capacity {
  /** Asks for `count`; never lowers what runs when `atLeast`. */
  scale(target: CapacityTarget, count: number, rule: 'exactly' | 'at-least'): Promise<void>;
  describe(target: CapacityTarget): Promise<{ readonly wanted: number; readonly running: number }>;
  /** Replaces every task or instance by a new one, a part at a time, unless that was begun at or after `since` already. Returns at once. */
  restart(target: CapacityTarget, since: Date): Promise<void>;
}

/** Amazon Application Recovery Controller, where the config has it: a second hand on the traffic, beside the health checks that follow the lease. */
export interface RoutingControls {
  /** Turns the Region's control on and every other one's off, through the cluster's data plane. No-op when the config has none. */
  switchTo(region: Region): Promise<void>;
}

/** Shuts the old primary off at its network: best effort, beside the fence in the database, and only ever called from the Region that it is in. */
export interface NetworkFence {
  /** Takes the application's rules out of the database's security group. @returns how many; none is no error */
  isolate(databaseId: DatabaseId, region: Region): Promise<number>;
  restore(databaseId: DatabaseId, region: Region): Promise<number>;
}

/** Tells people: the alarm topic of the Region. No patient data: text is made of ids, Regions, counts and times. */
export interface Notices {
  publish(notice: {
    readonly region: Region;
    readonly severity: 1 | 2 | 3;
    readonly subject: string;
    readonly text: string;
  }): Promise<void>;
}

/** Reports of drills and failovers, lists of lost writes, evidence of a breach: encrypted objects in a Region's evidence bucket, immutable. */
export interface Reports {
  put(region: Region, key: string, body: Uint8Array, contentType: string): Promise<void>;
  get(region: Region, key: string): Promise<Uint8Array | undefined>;
  /** Keys below a prefix, ascending. */
  list(region: Region, prefix: string): Promise<readonly string[]>;
}

/** A log group that is evidence. */
export interface EvidenceGroup {
  readonly name: string;
  /** False for one that the config names and that is not there: a gap that people must know of. */
  readonly exists: boolean;
}

export interface EvidenceEvent {
  /** The service's own id: an event that two pages hold is the same one. */
  readonly id: string;
  readonly at: Timestamp;
  readonly stream: string;
  /** Whatever somebody logged, patients' data included: it goes into encrypted, locked objects and nowhere else. */
  readonly message: string;
}

/** Reads the logs that tell what happened in a Region. Only ever read: nothing in them is changed. */
export interface EvidenceLogs {
  /** The groups of this deployment and those that the config names in that Region, each once, ascending by name. */
  groups(region: Region): Promise<readonly EvidenceGroup[]>;
  /**
   * Events of `[from, until)`, some of them: without a cursor in the answer there are no more. A page without events need not be the last. A cursor is good for a
   * day, and asked with it again a page may hold events that arrived late.
   *
   * @throws NotFound when the group is gone
   */
  page(request: {
    readonly region: Region;
    readonly group: string;
    readonly from: Date;
    readonly until: Date;
    readonly cursor?: string | undefined;
  }): Promise<{ readonly events: readonly EvidenceEvent[]; readonly cursor?: string | undefined }>;
}
