import type { Micros } from './virtual-time.ts';

/** How one machine's clock differs from true time. */
export interface ClockError {
  /** How far it is ahead. */
  readonly offset: Micros;
  /** 0.001 gains a millisecond each second. */
  readonly drift: number;
  /** Set forward (or back, when negative) once. */
  readonly step?: { readonly at: Micros; readonly by: Micros };
}

/** True time 0 of every run. */
const epochMicros = Date.parse('2026-11-21T12:00:00.000Z') * 1000;

/** Wall clock and timers of one machine: the wall clock has an offset, drifts and steps; timers drift alone. */
export class MachineClock {
  readonly #error: ClockError;

  constructor(error: ClockError) {
    this.#error = error;
  }

  /** Microseconds since 1970 that this clock shows at true time `at`. */
  show(at: Micros): number {
    const { offset, drift, step } = this.#error;
    return Math.floor(epochMicros + at * (1 + drift) + offset + (step && at >= step.at ? step.by : 0));
  }

  date(at: Micros): Date {
    return new Date(Math.floor(this.show(at) / 1000));
  }

  /** True microseconds that a timer of so many milliseconds takes. */
  timer(milliseconds: number): Micros {
    return Math.max(0, Math.round((milliseconds * 1000) / (1 + this.#error.drift)));
  }

  /** The true instant from which on this clock shows `shown` or later for good: one that is set back shows some instants twice. */
  reaches(shown: number): Micros {
    const { offset, drift, step } = this.#error;
    const when = (stepped: Micros) => Math.ceil((shown - epochMicros - offset - stepped) / (1 + drift));
    const unstepped = when(0);
    if (!step) return unstepped;
    return unstepped <= step.at && when(step.by) <= step.at ? unstepped : Math.max(step.at, when(step.by));
  }
}

/** Right to the microsecond. */
export const trueClock = new MachineClock({ offset: 0, drift: 0 });
