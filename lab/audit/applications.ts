import { setTimeout as wait } from 'node:timers/promises';
import type { LogResult } from '../../clients/audit-client/log-event.ts';
import type { Region } from '../../functions/common/ids.ts';
import { seededRandom } from '../seeded-random.ts';
import { type HospitalEvent, hospitalEvent } from './hospital-events.ts';
import { type SpoiltEvent, spoilt } from './spoilt-events.ts';

/** Hands a batch over, in the words of the contract. Rejects when there is no answer: nobody knows then what became of it. */
export type Tell = (events: readonly unknown[]) => Promise<readonly Told[]>;
type Told = Pick<LogResult, 'eventId' | 'status'> & { readonly code?: string };

/** An event that an application was promised to find in the log. */
export interface Acknowledged {
  readonly event: HospitalEvent;
  /** By `Date.now()`. */
  readonly atMs: number;
}

export interface ApplicationOptions {
  readonly region: Region;
  readonly tell: Tell;
  readonly seed: number;
  readonly perSecond: number;
  readonly batch: number;
}

/** One batch of so many is told a second time, as whoever lost the answer does. */
const TOLD_TWICE = 8;
/** After a batch without an answer. */
const RETRY_MS = 150;

/**
 * Applications of one Region: they log at a steady rate, a bad event in every batch among good ones, tell some batches twice, and tell what got no answer again until it gets one.
 */
export class Applications {
  readonly region: Region;
  readonly acknowledged = new Map<string, Acknowledged>();
  /** Bad events by the code that each was refused with; those that were not refused as they must be. */
  readonly refused = new Map<string, number>();
  readonly wronglyJudged: string[] = [];
  /** Bad events that the bus took: it judges none. Counted once for each time that one was sent. */
  badSent = 0;
  /** Batches that got no answer, and were told again. */
  retries = 0;
  repeats = 0;
  readonly #options: ApplicationOptions;
  readonly #random: () => number;
  readonly #ends = new AbortController();
  readonly #run: Promise<void>;
  #made = 0;
  #batches = 0;
  #left = false;

  constructor(options: ApplicationOptions) {
    this.region = options.region;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#run = this.#log();
  }

  /** Ends when everything that was begun has its answer. */
  async stop(): Promise<void> {
    this.#left = true;
    this.#ends.abort();
    await this.#run;
  }

  async #log(): Promise<void> {
    const { perSecond, batch } = this.#options;
    const everyMs = (1000 * batch) / perSecond;
    for (let nextAt = performance.now(); !this.#left; nextAt += everyMs) {
      const rest = nextAt - performance.now();
      if (rest > 0) await wait(rest, undefined, { signal: this.#ends.signal }).catch(() => {});
      if (!this.#left) await this.#tellUntilAnswered(this.#newBatch());
    }
  }

  #newBatch(): { readonly good: readonly HospitalEvent[]; readonly bad: SpoiltEvent } {
    const { seed, batch } = this.#options;
    const now = new Date();
    const good = Array.from({ length: batch - 1 }, () => hospitalEvent(seed, this.#made++, now));
    this.#batches += 1;
    return { good, bad: spoilt(hospitalEvent(seed, this.#made++, now), this.#batches) };
  }

  async #tellUntilAnswered({ good, bad }: { readonly good: readonly HospitalEvent[]; readonly bad: SpoiltEvent }): Promise<void> {
    const place = Math.floor(this.#random() * (good.length + 1));
    const batch: readonly unknown[] = [...good.slice(0, place), bad.event, ...good.slice(place)];
    let twice = this.#random() < 1 / TOLD_TWICE;
    for (;;) {
      try {
        const answers = await this.#options.tell(batch);
        this.#note(good, bad, answers, place);
        const unavailable = answers.some(({ status }) => status === 'unavailable');
        if (!twice && !unavailable) return;
        if (twice) this.repeats += 1;
        twice = false;
        if (!unavailable) continue;
      } catch {
        // No answer: it may be recorded or not, and telling it again does no harm.
      }
      this.retries += 1;
      await wait(RETRY_MS);
    }
  }

  #note(good: readonly HospitalEvent[], bad: SpoiltEvent, answers: readonly Told[], place: number): void {
    const atMs = Date.now();
    const answerOf = new Map(answers.map((answer) => [answer.eventId, answer]));
    for (const event of good) {
      const status = answerOf.get(event.eventId)?.status;
      if (status === 'recorded' || status === 'already' || status === 'sent') {
        if (!this.acknowledged.has(event.eventId)) this.acknowledged.set(event.eventId, { event, atMs });
      } else if (status !== 'unavailable') this.wronglyJudged.push(`a good event: ${status ?? 'no answer'}`);
    }
    const judged = answers[place];
    if (judged?.status === 'unavailable') return;
    if (judged?.status === 'sent') this.badSent += 1;
    else if (judged?.status === 'rejected' && judged.code === bad.code) this.refused.set(bad.code, (this.refused.get(bad.code) ?? 0) + 1);
    else this.wronglyJudged.push(`${bad.code}: ${judged?.status ?? 'no answer'} ${judged?.code ?? ''}`);
  }
}
