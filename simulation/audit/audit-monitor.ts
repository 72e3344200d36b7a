import type { EventId } from '../../functions/audit/events/event.ts';
import type { LogHead } from '../../functions/audit/log/models.ts';
import type { Micros, VirtualTime } from '../virtual-time.ts';
import { isCosigned } from './audit-witness.ts';
import { History } from './history.ts';
import { isSame } from './log-store.ts';

/** Of promise P8. */
export interface AuditViolation {
  readonly promise: 'P8';
  readonly at: Micros;
  readonly says: string;
}

/** What a checkpoint says, read without the system's code. */
export interface Said {
  readonly generation: number;
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/**
 * Sees every request take effect and says which one breaks P8. It believes the outside alone: what was acknowledged, claimed, signed and published. How the sequencer gets
 * there is no concern of it.
 */
export class AuditMonitor {
  readonly violations: AuditViolation[] = [];
  readonly acknowledged = new Set<EventId>();
  /** As the claims make it, by generation. */
  readonly histories = new Map<number, History>();
  readonly signed: Said[] = [];
  /** Entries of the newest checkpoint, by generation. */
  readonly publishedSizes = new Map<number, number>();
  claims = 0;
  publications = 0;
  /** Checkpoint texts of claimed history: nothing else may be signed. */
  readonly #claimedTexts = new Set<string>();
  readonly #time: VirtualTime;
  readonly #originOf: (generation: number) => string;
  readonly #wantsCosignature: boolean;

  /** @param given.wantsCosignature whether the config publishes nothing that its witness did not cosign */
  constructor(time: VirtualTime, given: { readonly originOf: (generation: number) => string; readonly wantsCosignature: boolean }) {
    this.#time = time;
    this.#originOf = given.originOf;
    this.#wantsCosignature = given.wantsCosignature;
  }

  violated(says: string): void {
    this.violations.push({ promise: 'P8', at: this.#time.now, says });
  }

  /** What was there before the run began. */
  began(generation: number, history: History): void {
    this.histories.set(generation, history);
    this.publishedSizes.set(generation, history.size);
  }

  claimed({ generation, size }: LogHead, entries: readonly string[]): void {
    this.claims++;
    const history = this.histories.get(generation) ?? new History();
    this.histories.set(generation, history);
    if (size < history.size) history.cut(size);
    history.append(entries);
    this.#claimedTexts.add(this.#textOf({ generation, size: history.size, root: history.root(history.size) }));
  }

  acknowledge(eventId: EventId, isDurable: boolean): void {
    this.acknowledged.add(eventId);
    if (!isDurable) this.violated(`event ${eventId} is acknowledged and not durable`);
  }

  signs(generation: number, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString();
    const said = saidIn(generation, text);
    this.signed.push(said);
    if (!this.#claimedTexts.has(text))
      this.violated(`the key signs ${said.size} entries of generation ${generation} that are not claimed history`);
  }

  published(path: string, note: Uint8Array, objects: ReadonlyMap<string, Uint8Array>): void {
    this.publications++;
    const generation = Number(path.split('/')[0]);
    const text = Buffer.from(note).toString().split('\n\n')[0];
    const { size } = saidIn(generation, `${text}\n`);
    const before = this.publishedSizes.get(generation) ?? 0;
    if (!this.#claimedTexts.has(`${text}\n`)) this.violated(`what is published of generation ${generation} is not claimed history`);
    if (this.#wantsCosignature && !isCosigned(Buffer.from(note).toString()))
      this.violated(`a checkpoint of ${size} entries is published without the cosignature that the config wants`);
    if (size < before) this.violated(`a checkpoint of ${size} entries is published over one of ${before} in generation ${generation}`);
    this.publishedSizes.set(generation, size);
    for (const [object, bytes] of this.histories.get(generation)?.objects(size) ?? []) {
      const stored = objects.get(`${generation}/${object}`);
      if (!stored) this.violated(`${generation}/${object} is promised by a checkpoint and not there`);
      else if (!isSame(stored, bytes)) this.violated(`${generation}/${object} is not what was claimed`);
    }
  }

  #textOf({ generation, size, root }: Said): string {
    return `${this.#originOf(generation)}\n${size}\n${root}\n`;
  }
}

function saidIn(generation: number, text: string): Said {
  const [, size, root = ''] = text.split('\n');
  return { generation, size: Number(size), root };
}
