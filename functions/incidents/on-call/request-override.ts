import { createHash } from 'node:crypto';
import { after, days, formatSeconds } from '../../common/duration.ts';
import { InvalidInput } from '../../common/errors.ts';
import { timeSlug, timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { earlier } from '../incident/transition.ts';
import { Override } from '../models.ts';

interface WantedOverride {
  readonly schedule: string;
  readonly person: string;
  readonly from: Date;
  readonly until: Date;
  readonly by: string;
  readonly now: Date;
}

/** Whoever is away for longer belongs out of the rotation. */
const longest = days(60);

const one = <T extends { readonly id: string }>(what: string, among: readonly T[], id: string): T => {
  const found = among.find((each) => each.id === id);
  if (found) return found;
  throw new InvalidInput(`there is no ${what} "${id}" in the config`, { hint: `It has: ${among.map((each) => each.id).join(', ')}.` });
};

/** Somebody takes somebody else's turn. @throws InvalidInput for names that the config does not have, and for times that do not fit */
export function overrideFor(
  { schedules, people }: Pick<IncidentPolicy, 'schedules' | 'people'>,
  { schedule, person, from, until, by, now }: WantedOverride,
): Override {
  one('schedule', schedules, schedule);
  one('person', people, person);
  if (until <= now || until <= from)
    throw new InvalidInput(`${until.toISOString()} has passed, or comes before its beginning`, { hint: 'Name a time to come.' });
  if (until > after(from, longest)) {
    throw new InvalidInput(`an override until ${until.toISOString()} is longer than ${formatSeconds(longest)}`, {
      hint: 'Change the rotation in the config instead.',
    });
  }
  const what = createHash('sha256')
    .update(JSON.stringify([schedule, person, from.toISOString(), until.toISOString()]))
    .digest('hex')
    .slice(0, 6);
  return Override.parse({
    overrideId: `ovr-${timeSlug(now)}-${what}`,
    ...{ schedule, person, by, from: timestamp(from), until: timestamp(until) },
  });
}

/** Ended now; one that has not begun never does. @throws InvalidInput when it is over already */
export function endedOverride(override: Override, now: Date): Override {
  if (Date.parse(override.until) <= now.getTime()) throw new InvalidInput(`${override.overrideId} ended at ${override.until}`);
  const at = timestamp(now);
  return { ...override, from: earlier(override.from, at), until: at };
}
