import type { EventId } from '../../functions/audit/events/event.ts';
import type { Batch, LogHead } from '../../functions/audit/log/models.ts';
import type { EventRef, PendingEntry, Place, RecordedEvent } from '../../functions/audit/ports.ts';
import { NotFound } from '../../functions/common/errors.ts';
import type { Timestamp } from '../../functions/common/ids.ts';
import type { Micros, VirtualTime } from '../virtual-time.ts';
import type { AuditMonitor } from './audit-monitor.ts';

/** An event's item in the Region's own table, and since and until when the index over those that wait shows it. */
interface Queued {
  readonly entry: PendingEntry;
  readonly shownFrom: Micros;
  place?: Place;
  shownUntil?: Micros;
}

/**
 * What is durable in one Region: tables, index and bucket, with their conditions. Each method is one request at the instant at which it takes effect; how requests get there
 * is the network's business.
 */
export class LogStore {
  readonly recorded = new Map<EventId, RecordedEvent>();
  readonly queue = new Map<EventId, Queued>();
  readonly batches = new Map<string, Batch>();
  readonly objects = new Map<string, Uint8Array>();
  head: LogHead | undefined;
  readonly #time: VirtualTime;
  readonly #monitor: AuditMonitor;
  readonly #drawLag: () => Micros;

  /** @param drawLag by how much the index is late with one change of one event */
  constructor(time: VirtualTime, monitor: AuditMonitor, drawLag: () => Micros) {
    this.#time = time;
    this.#monitor = monitor;
    this.#drawLag = drawLag;
  }

  /** The transaction: event and place in the queue, both or none, each only where it is not there. */
  record(event: RecordedEvent): boolean {
    if (this.recorded.has(event.eventId) || this.queue.has(event.eventId)) return false;
    this.recorded.set(event.eventId, event);
    this.enqueue(event);
    return true;
  }

  enqueue({ eventId, recordedAt, leaf }: PendingEntry): void {
    this.queue.set(eventId, { entry: { eventId, recordedAt, leaf }, shownFrom: this.#time.now + this.#drawLag() });
  }

  erase({ eventId }: EventRef, erasedAt: Timestamp): void {
    const known = this.recorded.get(eventId);
    if (!known) throw new NotFound(`there is no event ${eventId}`);
    const { body: _, salt: __, ...rest } = known;
    this.recorded.set(eventId, { erasedAt, ...rest });
  }

  /** The index, which is late: it lacks some that wait, and shows some that have their places. */
  shownAsWaiting(limit: number): readonly EventId[] {
    const { now } = this.#time;
    return [...this.queue.values()]
      .filter(({ shownFrom, shownUntil }) => shownFrom <= now && (shownUntil === undefined || shownUntil > now))
      .map(({ entry }) => entry)
      .sort((a, b) => (a.recordedAt < b.recordedAt || (a.recordedAt === b.recordedAt && a.eventId < b.eventId) ? -1 : 1))
      .slice(0, limit)
      .map(({ eventId }) => eventId);
  }

  /** Read consistently; what is unknown is left out. */
  items(eventIds: readonly EventId[]): readonly (PendingEntry & { readonly place: Place | undefined })[] {
    return eventIds.flatMap((eventId) => {
      const found = this.queue.get(eventId);
      return found ? [{ ...found.entry, place: found.place }] : [];
    });
  }

  settle(places: readonly (readonly [EventId, Place])[]): void {
    for (const [eventId, place] of places) {
      const known = this.queue.get(eventId);
      if (!known) throw new NotFound(`event ${eventId} was never recorded`);
      known.place = place;
      known.shownUntil ??= this.#time.now + this.#drawLag();
    }
  }

  /** @returns whether its version is the one after what stands */
  writeHead(next: LogHead): boolean {
    if (next.version !== (this.head?.version ?? 0) + 1) return false;
    this.replaceHead(next);
    return true;
  }

  replaceHead(next: LogHead): void {
    const before = this.head;
    this.head = next;
    const batch = next.claimed && next.claimed.batchId !== before?.claimed?.batchId ? this.batches.get(next.claimed.batchId) : undefined;
    if (batch) this.#monitor.claimed(next, this.#entriesOf(batch));
  }

  putBatch(batch: Batch): boolean {
    if (this.batches.has(batch.batchId)) return false;
    this.batches.set(batch.batchId, batch);
    return true;
  }

  createObject(path: string, bytes: Uint8Array): boolean {
    if (this.objects.has(path)) return false;
    this.objects.set(path, bytes);
    return true;
  }

  /** @param previous what must stand there */
  replaceCheckpoint(path: string, note: Uint8Array, previous: Uint8Array | undefined): boolean {
    if (!isSame(this.objects.get(path), previous)) return false;
    this.objects.set(path, note);
    this.#monitor.published(path, note, this.objects);
    return true;
  }

  #entriesOf({ eventIds, predecessor }: Batch): readonly string[] {
    const leaves = eventIds.map((eventId) => this.queue.get(eventId)?.entry.leaf ?? `${eventId} was never recorded`);
    return predecessor === undefined ? leaves : [predecessor, ...leaves];
  }
}

export const isSame = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0;
