import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timestamp } from '../../../functions/common/ids.ts';
import type { Rotation } from '../../../functions/common/incident-policy.ts';
import { Override } from '../../../functions/incidents/models.ts';
import { type OnCallSchedule, onCallAt, onCallOf, turns } from '../../../functions/incidents/on-call/on-call.ts';
import { testOperations } from '../../support/operations.ts';

const weekly: Rotation = { people: ['ada', 'ben'], from: '2026-01-05', handOver: { everyDays: 7, at: '09:00' } };
const nights: Rotation = {
  people: ['night'],
  from: '2026-01-01',
  handOver: { everyDays: 1, at: '00:00' },
  only: [{ days: ['fri', 'sat'], from: '22:00', to: '06:00' }],
};
const inNewYork = (...layers: Rotation[]): OnCallSchedule => ({ id: 'doctors', timeZone: 'America/New_York', layers });
const at = (instant: string) => new Date(instant);

const override = (person: string, from: string, until: string, id = 'a', schedule = 'doctors'): Override =>
  Override.parse({ overrideId: `ovr-${id}`, schedule, person, from: timestamp(at(from)), until: timestamp(at(until)), by: 'ada' });

describe('who is on duty', () => {
  test('people take turns at the local time of the hand-over', () => {
    const schedule = inNewYork(weekly);
    expect(onCallAt(schedule, [], at('2026-01-12T13:59:59.999Z'))).toBe('ada');
    expect(onCallAt(schedule, [], at('2026-01-12T14:00:00Z'))).toBe('ben');
    expect(onCallAt(schedule, [], at('2026-01-19T14:00:00Z'))).toBe('ada');
  });

  test('a turn over the change of the clocks in March is an hour shorter, in November an hour longer', () => {
    const hoursOf = (day: string) => {
      const turn = turns(inNewYork(weekly), at('2026-01-05T14:00:00Z'), at('2027-01-04T14:00:00Z')).find(({ from }) =>
        from.toISOString().startsWith(day),
      );
      return turn && (turn.until.getTime() - turn.from.getTime()) / 3_600_000;
    };
    expect([hoursOf('2026-02-23'), hoursOf('2026-03-02'), hoursOf('2026-10-26')]).toEqual([168, 167, 169]);
  });

  test('a hand-over at a time that is skipped happens when the clocks have been set; one at a time that comes twice, the first time', () => {
    const daily = (time: string) => inNewYork({ people: ['ada', 'ben'], from: '2026-03-01', handOver: { everyDays: 1, at: time } });
    const handOver = (time: string, from: string, until: string) =>
      turns(daily(time), at(from), at(until))
        .slice(1)
        .map((turn) => turn.from.toISOString());
    expect(handOver('02:30', '2026-03-07T12:00:00Z', '2026-03-08T12:00:00Z')).toEqual(['2026-03-08T07:00:00.000Z']);
    expect(handOver('01:30', '2026-10-31T12:00:00Z', '2026-11-01T12:00:00Z')).toEqual(['2026-11-01T05:30:00.000Z']);
  });

  test('nobody is on duty before the first turn', () => {
    expect(onCallAt(inNewYork(weekly), [], at('2026-01-05T13:59:59Z'))).toBeUndefined();
    expect(onCallAt(inNewYork(weekly), [], at('2026-01-05T14:00:00Z'))).toBe('ada');
  });

  test('the last layer that has somebody wins; a range that ends before it begins runs over midnight', () => {
    const schedule = inNewYork(weekly, nights);
    const people = ['2026-01-10T02:59:00Z', '2026-01-10T03:00:00Z', '2026-01-10T10:59:00Z', '2026-01-10T11:00:00Z', '2026-01-11T10:59:00Z'];
    expect(people.map((instant) => onCallAt(schedule, [], at(instant)))).toEqual(['ada', 'night', 'night', 'ada', 'night']);
    expect(onCallAt(inNewYork(nights, weekly), [], at('2026-01-10T03:00:00Z'))).toBe('ada');
  });

  test('a day that a zone skips takes no turn away from the calendar', () => {
    // Samoa went from 29 December 2011 to the 31st.
    const apia: OnCallSchedule = {
      id: 'a',
      timeZone: 'Pacific/Apia',
      layers: [{ people: ['ada', 'ben', 'cleo'], from: '2011-12-28', handOver: { everyDays: 1, at: '09:00' } }],
    };
    const found = turns(apia, at('2011-12-28T19:00:00Z'), at('2012-01-01T19:00:00Z')).map(
      ({ person, from }) => `${person} ${from.toISOString()}`,
    );
    expect(found).toEqual([
      'ada 2011-12-28T19:00:00.000Z',
      'ben 2011-12-29T19:00:00.000Z',
      'cleo 2011-12-30T10:00:00.000Z',
      'ada 2011-12-30T19:00:00.000Z',
      'ben 2011-12-31T19:00:00.000Z',
    ]);
  });
});

describe('overrides', () => {
  const schedule = inNewYork(weekly);

  test('somebody takes a turn, from its beginning until just before its end, of that schedule alone', () => {
    const taken = [
      override('eve', '2026-01-10T12:00:00Z', '2026-01-10T18:00:00Z'),
      override('dan', '2026-01-10T12:00:00Z', '2026-01-10T18:00:00Z', 'b', 'nurses'),
    ];
    const people = ['2026-01-10T11:59:59.999Z', '2026-01-10T12:00:00Z', '2026-01-10T17:59:59.999Z', '2026-01-10T18:00:00Z'];
    expect(people.map((instant) => onCallAt(schedule, taken, at(instant)))).toEqual(['ada', 'eve', 'eve', 'ada']);
  });

  test('of two that overlap the one that begins later wins, whatever order they are read in', () => {
    const both = [
      override('eve', '2026-01-10T00:00:00Z', '2026-01-11T00:00:00Z', 'z'),
      override('dan', '2026-01-10T12:00:00Z', '2026-01-10T14:00:00Z'),
    ];
    for (const taken of [both, [...both].reverse()]) {
      expect(turns(schedule, at('2026-01-09T22:00:00Z'), at('2026-01-11T02:00:00Z'), taken).map(({ person }) => person)).toEqual([
        'ada',
        'eve',
        'dan',
        'eve',
        'ada',
      ]);
    }
  });

  test('somebody whom the config does not know takes nobody’s place', () => {
    const { incidents } = testOperations();
    const stranger = override('stranger', '2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z', 'a', 'on-call');
    expect(onCallOf(incidents, [stranger]).at('on-call', at('2026-11-21T12:00:00Z'))).toBe('on-call');
    expect(onCallOf(incidents, [{ ...stranger, person: 'owner' }]).at('on-call', at('2026-11-21T12:00:00Z'))).toBe('owner');
    expect(onCallOf(incidents, []).at('unheard-of', at('2026-11-21T12:00:00Z'))).toBeUndefined();
  });
});

test('turns fill the time without holes, never two alike beside each other, and say what is so at each instant', () => {
  const instant = fc.integer({ min: 0, max: 20 * 24 * 4 }).map((quarters) => new Date(Date.UTC(2026, 1, 26) + quarters * 900_000));
  const taken = fc
    .array(fc.tuple(instant, instant, fc.constantFrom('eve', 'dan')), { maxLength: 4 })
    .map((list) => list.map(([from, until, person], index) => override(person, from.toISOString(), until.toISOString(), String(index))));
  fc.assert(
    fc.property(instant, instant, taken, fc.boolean(), (one, other, overrides, layered) => {
      const [from, until] = one < other ? [one, other] : [other, one];
      const schedule = layered ? inNewYork(weekly, nights) : inNewYork(nights);
      const found = turns(schedule, from, until, overrides);
      const edges = found.flatMap((turn) => [turn.from.getTime(), turn.until.getTime()]);
      expect(edges).toEqual(from < until ? [from.getTime(), ...edges.slice(1, -1), until.getTime()] : []);
      found.forEach((turn, index) => {
        const next = found[index + 1];
        if (next) expect([next.from.getTime(), next.person === turn.person]).toEqual([turn.until.getTime(), false]);
        for (const inside of [turn.from, new Date((turn.from.getTime() + turn.until.getTime()) / 2), new Date(turn.until.getTime() - 1)]) {
          expect(onCallAt(schedule, overrides, inside)).toBe(turn.person);
        }
      });
    }),
    { numRuns: 60 },
  );
});
