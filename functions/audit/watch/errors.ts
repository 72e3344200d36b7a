import { CodeblueError } from '../../common/errors.ts';

/** A tile or an entry bundle does not hash to what the signed checkpoint says of it. */
export class LogRewritten extends CodeblueError {
  override readonly name = 'LogRewritten';
  readonly retryable = false;
  /** Without the generation's prefix. */
  readonly path: string;

  constructor(path: string, why: string) {
    super(`${path} ${why}`);
    this.path = path;
  }
}
