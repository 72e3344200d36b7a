import { CodeblueError } from '../common/errors.ts';

/** The stored bytes are not what was stored: nothing is restored from them. */
export class BackupDamaged extends CodeblueError {
  override readonly name = 'BackupDamaged';
  readonly retryable = false;
}

/** The database service could not make a database out of the backup. */
export class RestoreFailed extends CodeblueError {
  override readonly name = 'RestoreFailed';
  readonly retryable = false;
}

/** The restored database did not come up within the configured limit. */
export class RestoreTimedOut extends CodeblueError {
  override readonly name = 'RestoreTimedOut';
  readonly retryable = false;
}

/** A restored table was not compared to its end within the limit: its backup is not proven. */
export class ComparisonTimedOut extends CodeblueError {
  override readonly name = 'ComparisonTimedOut';
  readonly retryable = false;
}

/** The restored database is still there long after its removal was asked for; the sweeper goes on trying. */
export class TeardownTimedOut extends CodeblueError {
  override readonly name = 'TeardownTimedOut';
  readonly retryable = false;
}
