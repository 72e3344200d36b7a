/** One thing that happened, and when, by `performance.now()`. */
export interface Moment {
  readonly atMs: number;
  readonly says: string;
}

/** What happened in the course of one change of leadership, from several sources. */
export class Timeline {
  readonly #moments: Moment[] = [];
  readonly #onMoment: (moment: Moment) => void;

  constructor(onMoment: (moment: Moment) => void = () => {}) {
    this.#onMoment = onMoment;
  }

  note(says: string, atMs = performance.now()): void {
    const moment = { atMs, says };
    this.#moments.push(moment);
    this.#onMoment(moment);
  }

  /** In order, as `+ 4.12 s  Claim the next epoch`, counted from `zeroMs`. */
  lines(zeroMs: number): readonly string[] {
    return [...this.#moments]
      .filter(({ atMs }) => atMs >= zeroMs)
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, says }) => `${`+${((atMs - zeroMs) / 1000).toFixed(2)} s`.padStart(9)}  ${says}`);
  }
}
