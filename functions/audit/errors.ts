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

/** The event is durable, and waits still for its place in the log; or the checkpoint that is read here does not reach it yet. A moment later it can be proven. */
export class NotInLogYet extends CodeblueError {
  override readonly name = 'NotInLogYet';
  readonly retryable = true;
}

/** Fewer witnesses cosigned a checkpoint than the config wants: it is not published, and its batch stays claimed until they do. */
export class WitnessesMissing extends CodeblueError {
  override readonly name = 'WitnessesMissing';
  readonly retryable = true;
}
