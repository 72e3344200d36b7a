/** What every error of Codeblue tells: what happened, whether trying again can help, and what to do. */
export interface ErrorFacts {
  /** One sentence: what to do about it. Printed below the message by the CLI, sent along by alarms. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * Base of all errors that Codeblue throws on purpose.
 *
 * `name` is a literal in each class, because bundling renames classes and because state machines match on it;
 * `retryable` decides which retry list of a machine the class belongs to.
 */
export abstract class CodeblueError extends Error {
  abstract override readonly name: string;
  abstract readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.hint = facts.hint;
  }
}

/** Input from outside (config, event, stored item, command line) is not what it must be. */
export class InvalidInput extends CodeblueError {
  override readonly name = 'InvalidInput';
  readonly retryable = false;
}

/** A service that we depend on did not answer, throttled us, or is not ready. Trying again can help. */
export class ServiceUnavailable extends CodeblueError {
  override readonly name = 'ServiceUnavailable';
  readonly retryable = true;
}

/** The named thing does not exist. */
export class NotFound extends CodeblueError {
  override readonly name = 'NotFound';
  readonly retryable = false;
}

/** Refused because the thing does not carry this deployment's ownership tag: Codeblue touches only its own. */
export class NotOwned extends CodeblueError {
  override readonly name = 'NotOwned';
  readonly retryable = false;
}

/** Refused because the recovery point is locked until a later date. */
export class Locked extends CodeblueError {
  override readonly name = 'Locked';
  readonly retryable = false;
}

/** Two writers raced for one record and this one lost; read again and decide again. */
export class Conflict extends CodeblueError {
  override readonly name = 'Conflict';
  readonly retryable = true;
}

/** The message of whatever was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
