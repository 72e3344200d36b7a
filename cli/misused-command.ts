import { CodeblueError } from '../functions/common/errors.ts';

/** The words on the command line do not fit together. Exit code 2, as for a word that is not known at all. */
export class MisusedCommand extends CodeblueError {
  override readonly name = 'MisusedCommand';
  readonly retryable = false;
}
