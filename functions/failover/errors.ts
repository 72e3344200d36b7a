import { CodeblueError } from '../common/errors.ts';

/** No plan can be made, or the plan does not fit where things stand: nothing was changed. */
export class FailoverRefused extends CodeblueError {
  override readonly name = 'FailoverRefused';
  readonly retryable = false;
}

/** The new primary refuses or lacks what it must have by now; looking again can help. */
export class NotYetPrimary extends CodeblueError {
  override readonly name = 'NotYetPrimary';
  readonly retryable = true;
}
