/** Time as a port: decisions take it as an argument, tests and simulations set it. */
export interface Clock {
  now(): Date;
  /** Resolves after that many milliseconds of this clock. */
  sleep(milliseconds: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
