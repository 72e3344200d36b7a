import { z } from 'zod';
import { Region, Timestamp } from '../common/ids.ts';
import type { PublicText } from '../common/personal.ts';
import { CanonicalBody, EventId, type Outcome, PatientRef } from './events/event.ts';
import type { Batch, LogHead } from './log/models.ts';

/** What a reading of the audit log is called in it. */
export const READING = 'audit.read';

/**
 * One act of Codeblue. `intent` is written before the act, `outcome` after it, under the same `actId`.
 * `details` hold ids, counts, times and reasons; never a value out of a patient's record.
 */
export const AuditEvent = z
  .strictObject({
    /** Unique; recording the same id again changes nothing. */
    eventId: z.string().min(1).max(200),
    actId: z.string().min(1).max(190),
    phase: z.enum(['intent', 'outcome']),
    at: Timestamp,
    /** Who acted: a task (`task/expire-recovery-points`), a machine step, or a person (`cli/alice`). */
    actor: z.string().min(1).max(200),
    action: z.string().min(1).max(100),
    resource: z.string().min(1).max(500),
    region: Region,
    outcome: z.enum(['pending', 'success', 'failure', 'skipped']),
    /** Whom it was about. Only readings of the audit log have one: they are the only acts that can be erased. */
    patientRef: PatientRef.optional(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .refine(({ action, patientRef }) => patientRef === undefined || action === READING, 'names a patient and could never be erased');
export type AuditEvent = z.output<typeof AuditEvent>;

export interface AuditLog {
  /** MUST NOT resolve until the event is durable. Idempotent by `eventId`. @throws ServiceUnavailable */
  record(event: AuditEvent): Promise<void>;
  /** Events of one act, intent first. */
  act(actId: string): Promise<readonly AuditEvent[]>;
  /** Newest first, at most `limit`, at or after `since`. */
  recent(since: Date, limit: number): Promise<readonly AuditEvent[]>;
}

/** An event as it is kept, once for each Region that it was handed to. `leaf` never changes; `body` and `salt` go when it is erased. */
export const RecordedEvent = z.strictObject({
  region: Region,
  eventId: EventId,
  recordedAt: Timestamp,
  /** Canonical JSON of its `EventLeaf`: the bytes that the log holds. */
  leaf: z.string().min(1),
  body: CanonicalBody.optional(),
  /** Base64 of 32 random bytes. */
  salt: z.base64().optional(),
  erasedAt: Timestamp.optional(),
});
export type RecordedEvent = z.output<typeof RecordedEvent>;

export interface EventRef {
  readonly region: Region;
  readonly eventId: EventId;
}

/** What is searched for: all that is given must match, by equality. Times are those of the events (`at`), the end not included. */
export interface EventFilter {
  readonly from: Date;
  readonly until: Date;
  readonly userId?: string;
  readonly patientRef?: PatientRef;
  readonly resource?: string;
  readonly action?: string;
  readonly outcome?: Outcome;
}

export interface EventPage {
  /**
   * Newest first by `at`, then by Region and id. Erased events match no filter but the one by time, stand where they were recorded, and come without body: one that is erased while
   * pages are turned can be told twice, or not, where its two times differ. What is no body any more (somebody changed it) matches by time alone as well.
   */
  readonly events: readonly RecordedEvent[];
  /** Where the next page begins; absent on the last one. Names a place in the order, not a count: what is recorded meanwhile shifts nothing. */
  readonly next?: string;
}

/** The events of all Regions. Only those of this Region can be recorded here. */
export interface AuditEvents {
  /**
   * Resolves when the event and its place in the queue of the sequencer are durable, both or none.
   * @returns `conflict` when another event is recorded under that id (its body differs in more than who handed it over): nothing was changed then
   */
  record(event: RecordedEvent): Promise<'recorded' | 'already' | 'conflict'>;
  /** Read consistently where the Region is this one. In no order; what is unknown is left out. */
  get(refs: readonly EventRef[]): Promise<readonly RecordedEvent[]>;
  /** @throws InvalidInput for a `next` that is none of its own */
  query(filter: EventFilter, page: { readonly limit: number; readonly next?: string }): Promise<EventPage>;
  /** Both phases of an act, of every Region. */
  ofAct(actId: string): Promise<readonly RecordedEvent[]>;
  /** Removes body and salt; the leaf stays. Erasing twice is no error. @throws NotFound; InvalidInput for what is never erased (`isErasable`) */
  erase(ref: EventRef, at: Timestamp): Promise<void>;
}

export interface PendingEntry {
  readonly eventId: EventId;
  readonly recordedAt: Timestamp;
  readonly leaf: string;
}

/** Which events of this Region wait for their place in the log, and which have it. */
export interface AuditQueue {
  /**
   * About oldest first. May lack any of them for a moment (an index that lags), and never holds what was settled before it was asked: each is checked against the
   * event's own item, read consistently. That no event gets two places builds on it (ADR 10).
   */
  pending(limit: number): Promise<readonly PendingEntry[]>;
  /** The leaves of these, whether settled or not, read consistently. @throws NotFound when one was never recorded */
  leaves(eventIds: readonly EventId[]): Promise<ReadonlyMap<EventId, string>>;
  /** Notes their places and takes them out of the queue. Idempotent. */
  settle(places: ReadonlyMap<EventId, Place>): Promise<void>;
  /** Undefined while it waits, and where it was never recorded. */
  place(eventId: EventId): Promise<Place | undefined>;
  /** Of many, read consistently; those that wait, or were never recorded, are left out. */
  places(eventIds: readonly EventId[]): Promise<ReadonlyMap<EventId, Place>>;
}

/** Where an event is in the log. */
export interface Place {
  readonly generation: number;
  readonly index: number;
}

/** The end of this Region's log (promise P8). Strongly consistent, conditional writes only, and of one Region: never a global table. */
export interface AuditHead {
  read(): Promise<LogHead | undefined>;
  /** @returns whether `next` stands; false when another write came first. `next.version` is one more than what was seen */
  write(next: LogHead): Promise<boolean>;
  /** Before it is claimed. Storing the same again is no error. @throws Conflict when another is stored under its id */
  putBatch(batch: Batch): Promise<void>;
  batch(batchId: string): Promise<Batch | undefined>;
}

/** How long an object cannot be removed: `kept` for `audit.retention`, `superseded` for two days (what the next batch replaces by another path). */
export type Keeping = 'kept' | 'superseded';

/**
 * The log's objects, under the paths of C2SP tlog-tiles with the log's own prefix (`<generation>/checkpoint`, `<generation>/tile/0/000`, `<generation>/tile/entries/000.p/7`).
 * Every version is kept under its lock. `region` is where the log is, which need not be where it is read.
 */
export interface AuditObjects {
  get(region: Region, path: PublicText): Promise<Uint8Array | undefined>;
  /** Of this Region's log. Bytes under a path never change. @throws Conflict when other bytes are stored there */
  create(path: PublicText, bytes: Uint8Array, keeping: Keeping): Promise<void>;
  /**
   * The one path that changes: a new version over the old ones, which stay. Conditional on what stands there: a sequencer that comes late cannot put an older checkpoint
   * over a newer one.
   *
   * @param previous the bytes that it takes the place of; undefined where there are none
   * @returns whether it stands
   */
  publishCheckpoint(path: PublicText, note: Uint8Array, previous: Uint8Array | undefined): Promise<boolean>;
  /** Paths under a prefix, ascending. */
  list(region: Region, prefix: string): AsyncIterable<string>;
  /** Removes partial tiles and bundles whose lock is over. @throws Locked, InvalidInput for any other path */
  removeSuperseded(path: string): Promise<void>;
}

/** The key of one generation of this Region's log. Ed25519 over the exact bytes; never leaves its store. */
export interface CheckpointSigner {
  /** 64 bytes. */
  sign(generation: number, bytes: Uint8Array): Promise<Uint8Array>;
  /** Raw, 32 bytes. */
  publicKey(region: Region, generation: number): Promise<Uint8Array>;
}

/** What was seen of a log the last time, where who can change the log cannot change it: in the state table, which is replicated. */
export const SeenCheckpoint = z.strictObject({
  region: Region,
  generation: z.int().min(1),
  /** The whole signed note. */
  note: z.string().min(1),
  size: z.int().min(0),
  seenAt: Timestamp,
  /** Entries that a full verification has read, up to here. */
  verifiedSize: z.int().min(0),
});
export type SeenCheckpoint = z.output<typeof SeenCheckpoint>;

/** How far a check has come that takes more time than one run has. */
export const WatchProgress = z.strictObject({
  /** Which one, and of what: `verify-audit-log/us-east-1`. */
  check: z.string().min(1).max(100),
  /** Counts changes; every write is one more than what it saw. */
  version: z.int().min(1),
  startedAt: Timestamp,
  /** A run is on it until then, and no other may go on from the same place; absent once it has stopped in order. */
  heldUntil: Timestamp.optional(),
  finishedAt: Timestamp.optional(),
  /** The check's own; each parses what it kept. */
  state: z.json(),
});
export type WatchProgress = z.output<typeof WatchProgress>;

export interface AuditWatchMemory {
  last(region: Region, generation: number): Promise<SeenCheckpoint | undefined>;
  /** Never back to a smaller size. @returns whether it was taken */
  remember(seen: SeenCheckpoint): Promise<boolean>;
  progress(check: string): Promise<WatchProgress | undefined>;
  /** @returns whether `next` stands; false when its version is not one more than what is stored (1 where nothing is) */
  keepProgress(next: WatchProgress): Promise<boolean>;
}

/** HTTP to a witness after C2SP tlog-witness. */
export interface Witnesses {
  /** @returns status and body as they came. @throws ServiceUnavailable when there is no answer within ten seconds */
  addCheckpoint(url: string, body: string): Promise<{ readonly status: number; readonly contentType: string; readonly body: string }>;
}
