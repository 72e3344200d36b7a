import { type Clock, systemClock } from '../functions/common/clock.ts';

/** The machine's clock plus an offset that only grows: what a month brings is seen in a minute. Sleeps are real. */
export class LabClock implements Clock {
  #offsetMilliseconds = 0;

  now(): Date {
    return new Date(systemClock.now().getTime() + this.#offsetMilliseconds);
  }

  sleep(milliseconds: number): Promise<void> {
    return systemClock.sleep(milliseconds);
  }

  advance(seconds: number): void {
    this.#offsetMilliseconds += seconds * 1000;
  }
}
