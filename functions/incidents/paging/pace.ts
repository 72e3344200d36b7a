import { z } from 'zod';
import { Timestamp, timestamp } from '../../common/ids.ts';

/** What a channel of one Region was given lately, shared by everybody there who sends. */
export const SendRate = z.strictObject({
  /** When places were given, ascending: those of the window and no older ones. */
  at: z.array(Timestamp).max(100),
  /** A page of severity 1 waits for a place: until then the others get none. */
  urgentUntil: Timestamp.optional(),
  /** 0: nothing is stored. */
  version: z.int().nonnegative(),
});
export type SendRate = z.output<typeof SendRate>;

/** At most so many within any so many milliseconds. */
export interface Pace {
  readonly pages: number;
  readonly milliseconds: number;
}

/** A window holds no more, so that what is stored stays small; a faster channel has a shorter window. */
const mostPages = 50;
/** Clocks of a Region's functions differ by milliseconds, and from the place to the channel it is a call or two, one slower than another. */
const marginMilliseconds = 250;

/**
 * `perSecond: 5` is 5 in 1.25 s, `0.5` is 1 in 2.25 s, `200` is 50 in 0.5 s. Not a bucket that is refilled: with one of 5 that fills at 5 a second, 9 could go out
 * within one second, and SNS counts by the second.
 */
export function paceOf(perSecond: number): Pace {
  const pages = Math.min(mostPages, Math.max(1, Math.floor(perSecond)));
  return { pages, milliseconds: Math.ceil((1000 * pages) / perSecond) + marginMilliseconds };
}

/** How long the others stand back for a page of severity 1; it asks again before that. */
const standBackMilliseconds = 2000;

export interface Reservation {
  readonly granted: boolean;
  /** When it is worth asking again; `now` where it was granted. */
  readonly askAgainAt: Date;
  /** To be written down, on the condition that nobody else did; undefined where nothing changes. */
  readonly write: SendRate | undefined;
}

/** One place, or when to ask again. Pure: the caller writes it down by version, so that two senders never take one place. */
export function reserve(rate: SendRate, { pages, milliseconds }: Pace, urgent: boolean, now: Date): Reservation {
  const inWindow = rate.at.filter((at) => Date.parse(at) > now.getTime() - milliseconds);
  const standsBack = !urgent && rate.urgentUntil !== undefined && Date.parse(rate.urgentUntil) > now.getTime();
  const oldest = inWindow[inWindow.length - pages];
  const freeAt = oldest === undefined ? now : new Date(Date.parse(oldest) + milliseconds);
  if (freeAt <= now && !standsBack) {
    const at = [...inWindow, timestamp(now)].sort().slice(-100);
    return { granted: true, askAgainAt: now, write: { ...rate, at } };
  }
  if (!urgent) {
    const turn = standsBack ? Math.min(Date.parse(rate.urgentUntil ?? ''), now.getTime() + 250) : 0;
    return { granted: false, askAgainAt: new Date(Math.max(freeAt.getTime(), turn)), write: undefined };
  }
  const urgentUntil = timestamp(new Date(freeAt.getTime() + standBackMilliseconds));
  const known = rate.urgentUntil !== undefined && Date.parse(rate.urgentUntil) > freeAt.getTime();
  return { granted: false, askAgainAt: freeAt, write: known ? undefined : { ...rate, at: inWindow, urgentUntil } };
}
