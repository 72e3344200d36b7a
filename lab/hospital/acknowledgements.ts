import type { Region } from '../../functions/common/ids.ts';

/** A transaction that some server acknowledged to the writer. */
export interface Acknowledgement {
  readonly id: number;
  /** `performance.now()` when the answer came: one monotonic clock for all servers. */
  readonly atMs: number;
  readonly region: Region;
}

/** Everything that the writer was told, in the order of the answers. */
export class Acknowledgements {
  readonly #all: Acknowledgement[] = [];

  add(id: number, region: Region): void {
    this.#all.push({ id, atMs: performance.now(), region });
  }

  get all(): readonly Acknowledgement[] {
    return this.#all;
  }

  since(atMs: number): readonly Acknowledgement[] {
    return this.#all.filter((each) => each.atMs >= atMs);
  }

  last(region: Region, beforeMs = Number.POSITIVE_INFINITY): Acknowledgement | undefined {
    return this.#all.findLast((each) => each.region === region && each.atMs < beforeMs);
  }

  first(region: Region, sinceMs: number): Acknowledgement | undefined {
    return this.#all.find((each) => each.region === region && each.atMs >= sinceMs);
  }
}

/** What one change of leadership cost, by what the writer was told and what the new primary has. */
export interface WriterLoss {
  readonly acknowledged: number;
  /** Acknowledged by the old primary, absent on the new one. */
  readonly lostIds: readonly number[];
  /** Between the first lost acknowledgement and the last acknowledgement of the old primary. */
  readonly lostSeconds: number;
}

/** @param sinceMs nothing before it is looked at: it was judged by an earlier change */
export function writerLoss(all: readonly Acknowledgement[], old: Region, present: ReadonlySet<number>, sinceMs: number): WriterLoss {
  const given = all.filter(({ region, atMs }) => region === old && atMs >= sinceMs);
  const lost = given.filter(({ id }) => !present.has(id));
  const [first] = lost;
  const last = given.at(-1);
  return {
    acknowledged: given.length,
    lostIds: lost.map(({ id }) => id),
    lostSeconds: first && last ? (last.atMs - first.atMs) / 1000 : 0,
  };
}

export interface DoubleWriterWindow {
  /** Acknowledged by the loser after the winner's first acknowledgement: must be none. */
  readonly writes: number;
  /** From the winner's first to the loser's last, milliseconds; negative is the pause in which nobody wrote. */
  readonly milliseconds: number;
}

/** @param sinceMs a moment at which only `old` was written to */
export function doubleWriterWindow(
  all: readonly Acknowledgement[],
  old: Region,
  winner: Region,
  sinceMs: number,
): DoubleWriterWindow | undefined {
  const later = all.filter(({ atMs }) => atMs >= sinceMs);
  const first = later.find(({ region }) => region === winner);
  const last = all.findLast(({ region }) => region === old);
  if (!first || !last) return undefined;
  return {
    writes: later.filter(({ region, atMs }) => region === old && atMs > first.atMs).length,
    milliseconds: last.atMs - first.atMs,
  };
}
