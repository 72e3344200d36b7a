import { InvalidArgumentError } from 'commander';
import { type Duration, days, hours, minutes } from '../functions/common/duration.ts';

const units = { min: minutes, h: hours, d: days } as const;

/** A length of time as people give it to an option: `30min`, `2h`, `7d`. @throws InvalidArgumentError */
export function durationGiven(given: string): Duration {
  const found = /^(\d{1,4})\s*(min|h|d)$/.exec(given.trim());
  const unit = found?.[2];
  if (found && (unit === 'min' || unit === 'h' || unit === 'd')) return units[unit](Number(found[1]));
  throw new InvalidArgumentError('Wanted a length of time such as 30min, 2h or 7d.');
}
