import type { Clock } from '../../common/clock.ts';
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Allowances } from '../ports.ts';
import type { Integration } from './integration-of.ts';

const minute = 60_000;

/** An instance takes so many hundredths of a minute's allowance at a time, so that the shared counter is not written for each request. */
const share = 100;

interface Held {
  /** When its minute began, in milliseconds. */
  readonly since: number;
  left: number;
  refused: boolean;
}

/** What this instance holds of each integration's minute, by the counters that it took it from. */
const held = new WeakMap<Allowances, Map<string, Held>>();

/**
 * One request of an integration's `perMinute`: all instances together never give more. What an instance took and did not use is gone with its minute: of 12 000 with twenty
 * instances at most a fifth. While the counters do not answer everything is let in: a page is worth more than a limit.
 *
 * @returns undefined when it may pass, else the seconds until it is worth another try
 */
export async function secondsToWait(
  { id, perMinute }: Pick<Integration, 'id' | 'perMinute'>,
  { allowances, clock, log }: { readonly allowances: Allowances; readonly clock: Clock; readonly log: Logger },
): Promise<number | undefined> {
  const now = clock.now().getTime();
  const since = now - (now % minute);
  const own = heldOf(allowances, id, since);
  if (own.left === 0 && !own.refused) {
    const wanted = Math.max(1, Math.floor(perMinute / share));
    try {
      const taken = await allowances.take(id, new Date(since), wanted, perMinute);
      if (taken) own.left += wanted;
      else own.refused = true;
    } catch (error) {
      log.warn('the allowance of an integration is not known: let in', { integration: id, error: messageOf(error) });
      return undefined;
    }
  }
  if (own.left > 0) {
    own.left--;
    return undefined;
  }
  return Math.ceil((since + minute - now) / 1000);
}

function heldOf(allowances: Allowances, id: string, since: number): Held {
  const all = held.get(allowances) ?? new Map<string, Held>();
  held.set(allowances, all);
  const before = all.get(id);
  if (before?.since === since) return before;
  const fresh = { since, left: 0, refused: false };
  all.set(id, fresh);
  return fresh;
}
