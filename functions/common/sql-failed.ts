import { CodeblueError } from './errors.ts';

/**
 * PostgreSQL refused a statement. The message never carries values of rows: DETAIL is dropped, and so is the text of value errors.
 * Apart from the driver, so that a function without a database does not load one.
 */
export class SqlFailed extends CodeblueError {
  override readonly name = 'SqlFailed';
  readonly retryable = false;
  /** Five characters; see "PostgreSQL Error Codes". */
  readonly sqlState: string;

  constructor(sqlState: string, message: string) {
    super(message);
    this.sqlState = sqlState;
  }
}
