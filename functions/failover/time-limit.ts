import type { Clock } from '../common/clock.ts';
import { ServiceUnavailable } from '../common/errors.ts';

/**
 * What `work` gives, if it does within so many seconds. The work itself is not stopped, its late end is nobody's concern: use it only for what
 * may end unseen.
 *
 * @throws ServiceUnavailable when it takes longer; whatever the work throws
 */
export async function within<T>(clock: Clock, seconds: number, work: Promise<T>): Promise<T> {
  let over = false;
  const noted = () => {
    over = true;
  };
  // Handles a rejection that comes after the limit, too.
  work.then(noted, noted);
  const late = clock.sleep(seconds * 1000).then(() => {
    if (over) return work;
    throw new ServiceUnavailable(`timeout after ${seconds} s`);
  });
  late.catch(() => {});
  return Promise.race([work, late]);
}
