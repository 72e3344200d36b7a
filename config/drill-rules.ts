import { formatSeconds, minutes, secondsBetween } from '../functions/common/duration.ts';
import type { ChangeWindow } from '../functions/common/failover-policy.ts';
import { describeSchedule, latestOccurrence, occurrencesAfter } from '../functions/common/schedule.ts';
import { type Checked, problem, type Rule } from './rule.ts';

/** A fixed day to count from, so that a config which is accepted today is accepted tomorrow; a year holds both changes of the clocks. */
const countedFrom = new Date('2026-01-01T00:00:00Z');
/** Occurrences looked at: a year of a monthly drill. */
const counted = 12;
/** What must be left of the window when a drill begins: a rehearsal makes a replica and promotes it, a full test moves there and back. Our assumption; reports show the measured times. */
const drillTakes = minutes(60);

/** Drills are disruptive work, and that is done in change windows only. */
export const drillsFallIntoWindows: Rule = ({ failover, changeWindows, timeZone }: Checked) => {
  if (failover === undefined || failover.mode === 'off' || changeWindows === undefined || timeZone === undefined) return [];
  return (['rehearsal', 'fullTest'] as const).flatMap((drill) => {
    const schedule = failover.drills[drill];
    const outside = occurrencesAfter(schedule, timeZone, countedFrom, counted).find(
      (begins) => roomFor(begins, changeWindows, timeZone) < drillTakes,
    );
    if (outside === undefined) return [];
    return [
      problem(
        ['failover', 'drills', drill],
        describeSchedule(schedule),
        `a time with ${formatSeconds(drillTakes)} left in a change window. ${arithmetic(outside, changeWindows, timeZone)}`,
        'Move the drill into a window, or give the window more time.',
      ),
    ];
  });
};

const left = (begins: Date, { opens, lasts }: ChangeWindow, timeZone: string): number => {
  const opened = latestOccurrence(opens, timeZone, begins);
  return opened === undefined ? Number.NEGATIVE_INFINITY : lasts - secondsBetween(opened, begins);
};

const roomFor = (begins: Date, windows: readonly ChangeWindow[], timeZone: string): number =>
  Math.max(...windows.map((window) => left(begins, window, timeZone)));

/** `On 2026-01-10T08:00:00.000Z: "Saturday night" opened 1 h before and lasts 4 h, so 3 h are left` */
function arithmetic(begins: Date, windows: readonly ChangeWindow[], timeZone: string): string {
  const sums = windows.map((window) => {
    const rest = left(begins, window, timeZone);
    const ago = formatSeconds(window.lasts - rest);
    const end = rest > 0 ? `so ${formatSeconds(rest)} are left` : 'so it is over';
    return `"${window.name}" (${describeSchedule(window.opens)}) opened ${ago} before and lasts ${formatSeconds(window.lasts)}, ${end}`;
  });
  return `On ${begins.toISOString()}: ${sums.join('; ')}`;
}
