import { CodeblueError } from '../common/errors.ts';

/** A note (checkpoint, cosignature, verifier key) is not well formed, or is not signed by the key that it must be signed by: nothing in it counts. */
export class NoteRefused extends CodeblueError {
  override readonly name = 'NoteRefused';
  readonly retryable = false;
}

/** A tile or an entry bundle that a published checkpoint promises is missing, or is not of the length that it must have. */
export class LogDamaged extends CodeblueError {
  override readonly name = 'LogDamaged';
  readonly retryable = false;
}
