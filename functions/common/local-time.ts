const dayMilliseconds = 86_400_000;

/** A day of the calendar, counted from 1970-01-01, whatever the zone. */
export type CalendarDay = number;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...numeric });
  formats.set(zone, made);
  return made;
}

/** Milliseconds that the clocks of a zone are ahead of UTC at an instant. */
function offsetAt(zone: string, instant: number): number {
  const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instant)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

/** Offsets at midnights UTC: a year of daily schedules asks for the same ones over and over. */
const midnightOffsets = new Map<string, Map<CalendarDay, number>>();

function midnightOffset(zone: string, day: CalendarDay): number {
  const ofZone = midnightOffsets.get(zone) ?? new Map<CalendarDay, number>();
  midnightOffsets.set(zone, ofZone);
  const offset = ofZone.get(day) ?? offsetAt(zone, day * dayMilliseconds);
  ofZone.set(day, offset);
  return offset;
}

/** The calendar day that a zone's clocks show at an instant. */
export const localDay = (zone: string, instant: number): CalendarDay => Math.floor((instant + offsetAt(zone, instant)) / dayMilliseconds);

/**
 * The instant (milliseconds since 1970) at which the clocks of a zone show a time of a day: the first one where the clocks
 * show it twice, and the first instant after the jump where they skip it.
 *
 * Offsets are compared at the midnights around it, which is right as long as a zone does not change its clocks twice within
 * three days; none in the time zone database does from 1970 on.
 */
export function instantOf(zone: string, day: CalendarDay, minuteOfDay: number): number {
  const shown = day * dayMilliseconds + minuteOfDay * 60_000;
  // Offsets lie between -12 h and +14 h, so the instant lies between the midnights before `first` and after `last`.
  const first = day - 1;
  const last = day + 2;
  const [before, after] = [midnightOffset(zone, first), midnightOffset(zone, last)];
  if (before === after) return shown - before;
  const candidates = [shown - Math.max(before, after), shown - Math.min(before, after)];
  return (
    candidates.find((instant) => instant + offsetAt(zone, instant) === shown) ??
    changeBetween(zone, first * dayMilliseconds, last * dayMilliseconds)
  );
}

/** The first instant with the offset of `end`, to the second. */
function changeBetween(zone: string, start: number, end: number): number {
  const target = offsetAt(zone, end);
  let [low, high] = [start / 1000, end / 1000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle * 1000) === target) high = middle;
    else low = middle;
  }
  return high * 1000;
}
