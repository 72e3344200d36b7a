import type { Clock } from '../common/clock.ts';

/** A clock that moves only when told to, or when somebody sleeps on it. */
export interface ManualClock extends Clock {
  advance(seconds: number): void;
}

/** `sleep` moves the clock and resolves at once, so that code that polls runs through without waiting. */
export function manualClock(start: Date | string): ManualClock {
  let now = new Date(start).getTime();
  return {
    now: () => new Date(now),
    async sleep(milliseconds) {
      now += milliseconds;
    },
    advance(seconds) {
      now += seconds * 1000;
    },
  };
}
