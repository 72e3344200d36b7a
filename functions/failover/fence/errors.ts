import { CodeblueError } from '../../common/errors.ts';

/** Codeblue's role lacks a right that the fence needs: people must grant it. */
export class FenceForbidden extends CodeblueError {
  override readonly name = 'FenceForbidden';
  readonly retryable = false;
}
