import type { Region } from '../functions/common/ids.ts';
import type { ClockError } from './machine-clock.ts';
import type { Weather } from './network.ts';
import type { PolicyVariant } from './operations.ts';
import type { Interruption } from './process.ts';
import type { Micros } from './virtual-time.ts';

/** One thing that goes wrong at `at` and is well again at `until`, or never. */
export type Fault = { readonly at: Micros; readonly until: Micros | undefined } & (
  | { readonly kind: 'region-lost'; readonly region: Region }
  | { readonly kind: 'cut'; readonly between: readonly [Region, Region] }
  /** Of all databases, or of the second one only. */
  | { readonly kind: 'database-stopped'; readonly region: Region; readonly which: 'all' | 'the second' }
  | { readonly kind: 'services-sick'; readonly region: Region }
  | { readonly kind: 'guardian-dead'; readonly region: Region }
  | { readonly kind: 'observer-dead'; readonly region: Region }
  | { readonly kind: 'observer-flaps'; readonly region: Region; readonly probability: number }
  | { readonly kind: 'replica-slow'; readonly region: Region; readonly lag: Micros }
  | { readonly kind: 'fence-incomplete'; readonly region: Region }
);

/** What people do by hand. */
export type HandAct = { readonly at: Micros } & (
  | { readonly kind: 'switch-over' }
  /** A damaged database of the Region that leads is to be replaced by a copy of what it held `back` ago. */
  | { readonly kind: 'replace'; readonly back: Micros; readonly which: 'the first' | 'the second' }
  /** Makes the Region that does not lead a replica again. */
  | { readonly kind: 'rebuild'; readonly takes: Micros }
  | { readonly kind: 'stop-execution' }
  | { readonly kind: 'hold'; readonly for: Micros }
);

/** How people answer, one question after the other; beyond the list they approve. */
export interface Answer {
  readonly after: Micros;
  readonly answer: 'approved' | 'rejected';
  readonly by: 'somebody' | 'the-requester' | 'a-stranger';
}

/** An interruption of the `nth` run (from 1) of processes whose name begins with `who`. */
export interface AimedInterruption {
  readonly who: string;
  readonly nth: number;
  readonly interruption: Interruption;
}

/** What must be true of a run because of what was, and was not, done to it. */
export interface Expectations {
  /** P6, P7: no epoch is ever claimed. */
  readonly nothingMoves: boolean;
  /** P7: no write is ever refused by the primary. */
  readonly nothingRefused: boolean;
  /** P3: with nothing but crashes of the machine besides, the failover ends in this Region. */
  readonly endsIn: Region | undefined;
  /** P3: it ends as it does when no step dies. */
  readonly sameWithoutCrashes: boolean;
  /** Clocks are near enough for times of two machines to be compared: then loss is held against its estimate, and life goes on. */
  readonly saneClocks: boolean;
}

/** Everything that a run does not decide by itself. Drawn from the seed before the run. */
export interface Scenario {
  readonly title: string;
  readonly policy: PolicyVariant;
  /** No guardian ever ran. */
  readonly coldStart: boolean;
  readonly regionClocks: ReadonlyMap<Region, ClockError>;
  readonly databaseClocks: ReadonlyMap<Region, ClockError>;
  /** Longest time from the check at commit to the commit record. */
  readonly commitTakes: Micros;
  readonly replicationLag: Micros;
  /** Share of transactions that stay open for long. */
  readonly longTransactions: number;
  readonly weather: Weather | undefined;
  readonly faults: readonly Fault[];
  readonly acts: readonly HandAct[];
  readonly answers: readonly Answer[];
  readonly interruptions: readonly AimedInterruption[];
  /** Schedules fire twice with this probability. */
  readonly firedTwice: number;
  readonly expects: Expectations;
  /** When the last fault is over and the last act is done: from here on everything must come to rest. */
  readonly quietFrom: Micros;
}
