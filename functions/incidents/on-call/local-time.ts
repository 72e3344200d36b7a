import { Temporal } from 'temporal-polyfill';

/**
 * The instant at which the local clock of a zone shows that time on that day. A time that a change of the clocks skips is the first instant after it
 * (02:30 becomes 03:00 on the March Sunday of New York), one that it repeats is the first of the two: the rule of scheduled tasks (`occurrencesAfter`).
 *
 * @param at `09:00`
 */
export function instantAt(day: Temporal.PlainDate, at: string, timeZone: string): number {
  const local = day.toPlainDateTime(at);
  const earlier = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(local)) return earlier.epochMilliseconds;
  // Skipped: `earlier` lies before the gap by as much as the time lies before its end.
  return (earlier.getTimeZoneTransition('next') ?? earlier).epochMilliseconds;
}

/** The day that the local clock of a zone shows. */
export const localDay = (instant: number, timeZone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone).toPlainDate();
