import type { Clock } from '../../common/clock.ts';
import { Conflict } from '../../common/errors.ts';
import type { Page } from '../models.ts';
import type { SendRates } from '../ports.ts';
import { type Pace, type Reservation, reserve } from './pace.ts';

/** Somebody else was faster so often: then it is not this sender's turn, and it asks again. */
const attempts = 10;
const pauseMilliseconds = 50;

/**
 * Takes a place in a channel of this Region, or tells when to ask again. Of two senders that ask at the same moment one writes and the other reads anew.
 *
 * @throws ServiceUnavailable
 */
export async function takePlace(
  { sendRates, clock }: { readonly sendRates: SendRates; readonly clock: Clock },
  method: Page['method'],
  pace: Pace,
  urgent: boolean,
): Promise<Pick<Reservation, 'granted' | 'askAgainAt'>> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { write, ...answer } = reserve(await sendRates.get(method), pace, urgent, clock.now());
    if (!write) return answer;
    try {
      await sendRates.put(method, write);
      return answer;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  return { granted: false, askAgainAt: new Date(clock.now().getTime() + pauseMilliseconds) };
}
