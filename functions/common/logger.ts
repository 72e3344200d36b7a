import type { PublicFacts, PublicText } from './personal.ts';

/** Structured log lines. Values are ids, counts, times and reasons: never a value out of a patient's record, and the types refuse what is marked as `Personal`. */
export interface Logger {
  info(message: PublicText, facts?: PublicFacts): void;
  warn(message: PublicText, facts?: PublicFacts): void;
  error(message: PublicText, facts?: PublicFacts): void;
}

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };
