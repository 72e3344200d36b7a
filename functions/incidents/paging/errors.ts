import { CodeblueError } from '../../common/errors.ts';

/** A channel does not take the page, and would not take it a second time either: a wrong address, a revoked key, a subscription that nobody confirmed. */
export class ChannelRefused extends CodeblueError {
  override readonly name = 'ChannelRefused';
  readonly retryable = false;
}
