import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import type { Rotation } from '../../../functions/common/incident-policy.ts';
import { type OnCallSchedule, onCallAt, turns } from '../../../functions/incidents/on-call/on-call.ts';
import { luxonDuty, luxonInstant } from './luxon-duty.ts';

/** Every zone that a config can name and this runtime lists. */
const zones = Intl.supportedValuesOf('timeZone');
const [from, until] = [new Date('2026-01-01T00:00:00Z'), new Date('2036-01-01T00:00:00Z')];

const people = ['ada', 'ben', 'cleo', 'dan', 'eve'];
const schedule = (timeZone: string, ...layers: Rotation[]): OnCallSchedule => ({ id: 'it', timeZone, layers });

/** Changes of a zone's clocks within the ten years: the instants, each with the offset change in seconds. */
function changesOf(zone: string): readonly Temporal.ZonedDateTime[] {
  const found: Temporal.ZonedDateTime[] = [];
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(from.getTime()).toZonedDateTimeISO(zone);
  while (at && at.epochMilliseconds < until.getTime()) {
    at = at.getTimeZoneTransition('next');
    if (at && at.epochMilliseconds < until.getTime()) found.push(at);
  }
  return found;
}

describe('hand-overs of ten years agree with Luxon', () => {
  test('Sunday after Sunday, in every zone; every fourth where the clocks never change', () => {
    let compared = 0;
    for (const [index, timeZone] of zones.entries()) {
      // Times that changes of the clocks skip and repeat somewhere.
      const at = ['02:30', '00:30', '01:30', '00:00', '23:30', '03:30'][index % 6] ?? '02:30';
      const everyDays = changesOf(timeZone).length > 0 ? 7 : 28;
      const found = turns(schedule(timeZone, { people, from: '2026-01-04', handOver: { everyDays, at } }), from, until);
      const wrong = found.slice(1).filter((turn, position) => {
        const day = new Date(Date.UTC(2026, 0, 4 + position * everyDays)).toISOString().slice(0, 10);
        return turn.from.getTime() !== luxonInstant(day, at, timeZone) || turn.person !== people[position % people.length];
      });
      expect({ timeZone, turns: found.length, wrong }).toEqual({ timeZone, turns: everyDays === 7 ? 523 : 132, wrong: [] });
      compared += found.length;
    }
    expect(compared).toBeGreaterThan(80_000);
  }, 120_000);

  test('daily, around every change of the clocks, at the local times that it skips or repeats', () => {
    let [skipped, repeated] = [0, 0];
    for (const timeZone of zones) {
      for (const change of changesOf(timeZone)) {
        const before = change.subtract({ seconds: 1 });
        const shift = change.offsetNanoseconds - before.offsetNanoseconds;
        if (shift > 0) skipped++;
        else repeated++;
        const local = shift > 0 ? before.toPlainDateTime().add({ minutes: 15 }) : change.toPlainDateTime().add({ minutes: 15 });
        const at = local.toPlainTime().toString({ smallestUnit: 'minute' });
        const rotation = { people, from: '2026-01-01', handOver: { everyDays: 1, at } };
        const around = [change.subtract({ hours: 60 }), change.add({ hours: 60 })].map((each) => new Date(each.epochMilliseconds));
        for (const turn of turns(schedule(timeZone, rotation), around[0] ?? from, around[1] ?? until)) {
          const expected = [new Date(turn.from.getTime() - 1), turn.from].map((instant) =>
            luxonDuty(schedule(timeZone, rotation), instant),
          );
          expect({ timeZone, at, change: change.toString(), person: turn.person }).toEqual({
            timeZone,
            at,
            change: change.toString(),
            person: expected[1],
          });
          if (turn.from.getTime() > (around[0]?.getTime() ?? 0)) expect(expected[0]).not.toBe(expected[1]);
        }
      }
    }
    expect(skipped).toBeGreaterThan(500);
    expect(repeated).toBeGreaterThan(500);
  });
});

const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '15', '30', '45'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const weekday = fc.constantFrom(
  'sun' as const,
  'mon' as const,
  'tue' as const,
  'wed' as const,
  'thu' as const,
  'fri' as const,
  'sat' as const,
);
const rotation: fc.Arbitrary<Rotation> = fc
  .record({
    people: fc.uniqueArray(fc.constantFrom(...people), { minLength: 1 }),
    from: fc.integer({ min: 0, max: 900 }).map((days) => new Date(Date.UTC(2025, 6, 1) + days * 86_400_000).toISOString().slice(0, 10)),
    handOver: fc.record({ everyDays: fc.integer({ min: 1, max: 30 }), at: time }),
    only: fc.option(
      fc.array(fc.record({ days: fc.uniqueArray(weekday, { minLength: 1 }), from: time, to: time }), { minLength: 1, maxLength: 3 }),
      { nil: undefined },
    ),
  })
  .map(({ only, ...rest }) => ({ ...rest, ...(only ? { only } : {}) }));

test('layers and restrictions, at any instant of any zone, agree with Luxon', () => {
  const instants = fc.array(fc.integer({ min: 0, max: 10 * 365 * 24 * 12 }), { minLength: 5, maxLength: 20 });
  const layers = fc.array(rotation, { minLength: 1, maxLength: 3 });
  let somebody = 0;
  fc.assert(
    fc.property(fc.constantFrom(...zones), layers, instants, (timeZone, rotations, fiveMinutes) => {
      for (const count of fiveMinutes) {
        const instant = new Date(from.getTime() + count * 300_000);
        const person = onCallAt(schedule(timeZone, ...rotations), [], instant);
        if (person !== undefined) somebody++;
        expect({ instant, person }).toEqual({ instant, person: luxonDuty(schedule(timeZone, ...rotations), instant) });
      }
    }),
    { numRuns: 150 },
  );
  expect(somebody).toBeGreaterThan(300);
});
