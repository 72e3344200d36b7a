import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { minutes } from '../../functions/common/duration.ts';
import {
  daily,
  every,
  latestOccurrence,
  longestGapSeconds,
  monthly,
  occurrencesAfter,
  type Schedule,
  weekly,
} from '../../functions/common/schedule.ts';

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'America/Santiago',
  'Asia/Beirut',
  'Africa/Casablanca',
  'Asia/Kolkata',
  'UTC',
];
const newYear = new Date('2026-01-01T00:00:00Z');
const tenYearsLater = new Date('2036-01-01T00:00:00Z');
const pad = (count: number) => String(count).padStart(2, '0');

const timeOfDay = fc
  .record({
    hour: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }) }, fc.integer({ min: 0, max: 23 })),
    minute: fc.integer({ min: 0, max: 59 }),
  })
  .map(({ hour, minute }) => `${pad(hour)}:${pad(minute)}`);
const localSchedule: fc.Arbitrary<Schedule> = fc.oneof(
  fc.uniqueArray(timeOfDay, { minLength: 1, maxLength: 4 }).map((at) => daily(...at)),
  fc.record({ on: fc.constantFrom(...weekdays), at: timeOfDay }).map(({ on, at }) => weekly(on, at)),
  fc
    .record({ nth: fc.integer({ min: 1, max: 4 }), on: fc.constantFrom(...weekdays), at: timeOfDay })
    .map(({ nth, on, at }) => monthly(nth, on, at)),
);
const interval = fc.constantFrom(1, 5, 15, 30, 60, 120, 360, 720, 1440).map((count) => every(minutes(count)));

/** The first existing instant at or after a local time, by luxon: walks on minute by minute while the local time does not exist. */
function instant(day: DateTime, at: string): number {
  for (let minute = Number(at.slice(0, 2)) * 60 + Number(at.slice(3)); ; minute++) {
    const hour = Math.floor(minute / 60);
    const local = DateTime.fromObject({ year: day.year, month: day.month, day: day.day, hour, minute: minute % 60 }, { zone: day.zone });
    if (local.hour === hour && local.minute === minute % 60) {
      // Of a repeated hour luxon may give either pass: the first one is meant.
      const earlier = local.getPossibleOffsets().map((each) => each.toMillis());
      return Math.min(...earlier);
    }
  }
}

/** Day by day through the calendar of a second library: slow, and shares nothing with the code under test. */
function byCalendar(schedule: Exclude<Schedule, { kind: 'every' }>, zone: string, from: Date, to: Date): number[] {
  const runs = new Set<number>();
  for (
    let day = DateTime.fromJSDate(from, { zone: 'UTC' }).minus({ days: 2 });
    day.toMillis() < to.getTime() + 86_400_000;
    day = day.plus({ days: 1 })
  ) {
    const local = DateTime.fromObject({ year: day.year, month: day.month, day: day.day, hour: 12 }, { zone });
    if (schedule.kind !== 'daily' && weekdays[local.weekday % 7] !== schedule.on) continue;
    if (schedule.kind === 'monthly' && Math.ceil(local.day / 7) !== schedule.nth) continue;
    for (const at of schedule.kind === 'daily' ? schedule.at : [schedule.at]) runs.add(instant(local, at));
  }
  return [...runs].filter((run) => run > from.getTime() && run <= to.getTime()).sort((a, b) => a - b);
}

describe('occurrences', () => {
  test.each(zones)('agree with a second calendar library for ten years in %s', (zone) => {
    fc.assert(
      fc.property(localSchedule, (schedule) => {
        if (schedule.kind === 'every') return;
        const expected = byCalendar(schedule, zone, newYear, tenYearsLater);
        const actual = occurrencesAfter(schedule, zone, newYear, expected.length + 1).map((run) => run.getTime());
        expect(actual.slice(0, -1)).toEqual(expected);
        expect(actual.at(-1)).toBeGreaterThan(tenYearsLater.getTime());
      }),
      { numRuns: 3 },
    );
  });

  test('a skipped local time happens when the clocks have moved, a repeated one once', () => {
    const march = occurrencesAfter(daily('02:00', '02:30'), 'America/New_York', new Date('2027-03-13T12:00:00Z'), 2);
    expect(march.map((run) => run.toISOString())).toEqual(['2027-03-14T07:00:00.000Z', '2027-03-15T06:00:00.000Z']);
    const november = occurrencesAfter(daily('01:30'), 'America/New_York', new Date('2027-11-06T12:00:00Z'), 2);
    expect(november.map((run) => run.toISOString())).toEqual(['2027-11-07T05:30:00.000Z', '2027-11-08T06:30:00.000Z']);
  });

  test('the latest one is the last of those that have been', () => {
    const when = fc.date({ min: newYear, max: tenYearsLater, noInvalidDate: true });
    fc.assert(
      fc.property(fc.oneof(localSchedule, interval), fc.constantFrom(...zones), when, (schedule, zone, now) => {
        const latest = latestOccurrence(schedule, zone, now);
        if (!latest) throw new Error('a schedule without a latest occurrence');
        expect(latest.getTime()).toBeLessThanOrEqual(now.getTime());
        const [next] = occurrencesAfter(schedule, zone, latest, 1);
        expect(next?.getTime()).toBeGreaterThan(now.getTime());
        const [again] = occurrencesAfter(schedule, zone, new Date(latest.getTime() - 1), 1);
        expect(again).toEqual(latest);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the longest gap', () => {
  test('counts the night that the clocks go back', () => {
    expect(longestGapSeconds([daily('02:00')], 'America/New_York', newYear)).toBe(25 * 3600);
    expect(longestGapSeconds([daily('02:00')], 'Asia/Kolkata', newYear)).toBe(24 * 3600);
    expect(longestGapSeconds([daily('02:00'), daily('08:00', '14:00', '20:00')], 'America/New_York', newYear)).toBe(7 * 3600);
  });

  test('counts it from whatever day the counting begins', () => {
    // From 1 November 2026 the next change back is 371 days away: a plain year would miss both.
    for (let day = 270; day < 340; day += 1) {
      const from = new Date(newYear.getTime() + day * 86_400_000);
      expect(longestGapSeconds([daily('02:00')], 'America/New_York', from)).toBe(25 * 3600);
    }
  });

  test('is that of the calendar, for any mix of schedules', () => {
    fc.assert(
      fc.property(fc.array(localSchedule, { minLength: 1, maxLength: 3 }), fc.constantFrom(...zones), (schedules, zone) => {
        const end = new Date(newYear.getTime() + 401 * 86_400_000);
        const runs = schedules.flatMap((each) => (each.kind === 'every' ? [] : byCalendar(each, zone, newYear, end))).sort((a, b) => a - b);
        const gaps = runs.slice(1).map((run, index) => run - (runs[index] ?? run));
        expect(longestGapSeconds(schedules, zone, newYear)).toBe(Math.max(...gaps) / 1000);
      }),
      { numRuns: 25 },
    );
  });

  test('of an interval is the interval, and another schedule never widens it', () => {
    fc.assert(
      fc.property(interval, localSchedule, (schedule, other) => {
        if (schedule.kind !== 'every') return;
        expect(longestGapSeconds([schedule], 'UTC', newYear)).toBe(schedule.interval);
        expect(longestGapSeconds([schedule, other], 'UTC', newYear)).toBeLessThanOrEqual(schedule.interval);
      }),
      { numRuns: 20 },
    );
  });

  test('without schedules there is no end to it', () => {
    expect(longestGapSeconds([], 'UTC', newYear)).toBe(Number.POSITIVE_INFINITY);
  });
});
