import { createHash } from 'node:crypto';
import { after, days, formatSeconds } from '../../common/duration.ts';
import { InvalidInput } from '../../common/errors.ts';
import { type Region, timeSlug, timestamp } from '../../common/ids.ts';
import { type AlarmName, Silence, type Subject } from '../models.ts';
import { earlier } from './transition.ts';

interface WantedSilence {
  readonly alarm?: AlarmName | undefined;
  readonly subject?: Subject | undefined;
  readonly region?: Region | undefined;
  readonly from: Date;
  readonly until: Date;
  readonly by: string;
  readonly reason: string;
  readonly now: Date;
}

/** Longer than the longest maintenance: a silence that everybody forgot is an alarm that nobody hears. */
const longest = days(7);

/** Nobody is paged for what it matches. @throws InvalidInput for one that would silence everything, is over, or is too long */
export function silenceFor({ alarm, subject, region, from, until, by, reason, now }: WantedSilence): Silence {
  if (alarm === undefined && subject === undefined && region === undefined) {
    throw new InvalidInput('a silence of everything is refused', {
      hint: 'Say what it is for: --alarm, --subject, --in-region, or several of them.',
    });
  }
  if (until <= now || until <= from)
    throw new InvalidInput(`${until.toISOString()} has passed, or comes before its beginning`, { hint: 'Name a time to come.' });
  if (until > after(from, longest)) {
    throw new InvalidInput(`a silence until ${until.toISOString()} is longer than ${formatSeconds(longest)}`, {
      hint: 'Silence for less, and again when it is needed.',
    });
  }
  const what = createHash('sha256')
    .update(JSON.stringify([alarm, subject, region, until.toISOString(), by]))
    .digest('hex')
    .slice(0, 6);
  return Silence.parse({
    silenceId: `sil-${timeSlug(now)}-${what}`,
    ...{ ...(alarm ? { alarm } : {}), ...(subject ? { subject } : {}), ...(region ? { region } : {}) },
    ...{ from: timestamp(from), until: timestamp(until), by, reason },
  });
}

export const isInForce = ({ from, until }: Pick<Silence, 'from' | 'until'>, now: Date): boolean =>
  Date.parse(from) <= now.getTime() && now.getTime() < Date.parse(until);

/** Ended now. What still rings pages then. @throws InvalidInput when it is over already */
export function endedSilence(silence: Silence, now: Date): Silence {
  if (Date.parse(silence.until) <= now.getTime()) throw new InvalidInput(`${silence.silenceId} ended at ${silence.until}`);
  const at = timestamp(now);
  return { ...silence, from: earlier(silence.from, at), until: at };
}
