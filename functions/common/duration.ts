import { z } from 'zod';

/** A length of time in whole seconds. Made with `seconds(30)`, `minutes(5)`, `hours(6)`, `days(30)`. */
export const Duration = z
  .number('a length of time such as minutes(5), hours(6) or days(30)')
  .int('a length of time in whole seconds')
  .nonnegative('a length of time that is not negative')
  .brand<'DurationSeconds'>();
export type Duration = z.output<typeof Duration>;

export const seconds = (count: number): Duration => Duration.parse(count);
export const minutes = (count: number): Duration => seconds(count * 60);
export const hours = (count: number): Duration => minutes(count * 60);
export const days = (count: number): Duration => hours(count * 24);

/** `date` moved by a duration. */
export const after = (date: Date, duration: Duration): Date => new Date(date.getTime() + duration * 1000);
export const before = (date: Date, duration: Duration): Date => new Date(date.getTime() - duration * 1000);

/** Seconds from `from` to `to`; negative when `to` comes first. */
export const secondsBetween = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000;

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** `'6 h'`, `'1 d 2 h'`, `'2.4 s'`: at most two units, for people. */
export function formatSeconds(total: number): string {
  if (total < 0) return `-${formatSeconds(-total)}`;
  if (total < 60) return `${Math.round(total * 10) / 10} s`;
  let rest = Math.round(total);
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}
