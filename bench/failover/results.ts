/** One loss of the primary's region. */
export interface KillResult {
  /** From the kill to the first write that the new primary acknowledged, as the writer saw it. */
  readonly outageMs: number;
}

/** One time that the old primary was cut off, or lost the agent that watches over it, while its clients still reached it. */
export interface DoubleWriting {
  /** From the first write acknowledged by the new primary to the last one acknowledged by the old. Negative: a gap, as it must be. */
  readonly windowMs: number;
  /** Writes that the old primary acknowledged after the new one's first. Each is lost, or a conflict for somebody to resolve by hand. */
  readonly loserWrites: number;
  /** The old primary still accepted writes when the observation ended, so the window is at least this long. */
  readonly stillWriting: boolean;
  /** From the cut to the first write acknowledged by the new primary. */
  readonly outageMs: number;
}

export type PlayName = 'kill' | 'partition' | 'agent';

/** One system with one set of times. Every play starts from the same data and leaves nothing behind. */
export interface Contender {
  readonly name: string;
  /** Its times, in its own words. */
  readonly settings: string;
  /** @param round  counts from 0; decides the moment, and which member of the coordination service dies with the region */
  kill(round: number): Promise<KillResult>;
  /** The primary loses its peers and the coordination service; its clients still reach it. */
  partition(round: number): Promise<DoubleWriting>;
  /** What keeps the primary in check is killed; its database lives on. */
  agent(round: number): Promise<DoubleWriting>;
}
