import { CodeblueError } from '../functions/common/errors.ts';

/** Somebody pressed Ctrl-C, or the machine ends what runs. */
class Interrupted extends CodeblueError {
  override readonly name = 'Interrupted';
  readonly retryable = false;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Work that puts things in order when it is broken off: the first signal aborts it and lets it end by itself, the second one ends the process.
 *
 * @throws Interrupted, by way of the signal's reason
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = () => {
    for (const each of signals) process.off(each, abort);
    controller.abort(new Interrupted('it was broken off'));
  };
  for (const each of signals) process.on(each, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const each of signals) process.off(each, abort);
  }
}
