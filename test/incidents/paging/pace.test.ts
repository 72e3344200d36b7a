import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paceOf, reserve, type SendRate } from '../../../functions/incidents/paging/pace.ts';

const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 21, 7) + milliseconds);
const none: SendRate = { at: [], version: 0 };

/** Asks at each of the times, and writes down what is to be written. @returns when places were given */
function granted(times: readonly { readonly at: number; readonly urgent: boolean }[], perSecond: number): readonly number[] {
  let rate = none;
  return times.flatMap((time) => {
    const answer = reserve(rate, paceOf(perSecond), time.urgent, at(time.at));
    rate = answer.write ?? rate;
    return answer.granted ? [time.at] : [];
  });
}

const mostWithin = (milliseconds: number, times: readonly number[]): number =>
  Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + milliseconds).length));

const asking = fc.array(fc.record({ after: fc.nat({ max: 400 }), urgent: fc.boolean() }), { maxLength: 300 }).map((steps) => {
  let time = 0;
  return steps.map(({ after, urgent }) => {
    time += after;
    return { at: time, urgent };
  });
});

describe('places in a channel', () => {
  it('are never more in any second than the channel takes', () => {
    fc.assert(
      fc.property(asking, fc.double({ min: 0.2, max: 60, noNaN: true }), (times, perSecond) => {
        const places = granted(times, perSecond);
        expect(mostWithin(1000, places)).toBeLessThanOrEqual(Math.max(1, Math.ceil(perSecond)));
        if (perSecond < 1) expect(mostWithin(1000 / perSecond, places)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it('are given again as soon as the window allows it', () => {
    fc.assert(
      fc.property(asking, fc.integer({ min: 1, max: 9 }), (times, perSecond) => {
        let rate = none;
        for (const { at: time } of times) {
          const answer = reserve(rate, paceOf(perSecond), false, at(time));
          rate = answer.write ?? rate;
          if (answer.granted) continue;
          expect(answer.askAgainAt.getTime()).toBeGreaterThan(at(time).getTime());
          expect(reserve(rate, paceOf(perSecond), false, answer.askAgainAt).granted).toBe(true);
          expect(reserve(rate, paceOf(perSecond), false, new Date(answer.askAgainAt.getTime() - 1)).granted).toBe(false);
        }
      }),
    );
  });

  it('go to severity 1 first: while one waits, the others stand back', () => {
    const pace = paceOf(1);
    const full = reserve(none, pace, false, at(0)).write ?? none;
    const waits = reserve(full, pace, true, at(10));
    expect(waits.granted).toBe(false);
    const announced = waits.write ?? full;
    expect(reserve(announced, pace, false, waits.askAgainAt).granted).toBe(false);
    expect(reserve(announced, pace, true, waits.askAgainAt).granted).toBe(true);
    // Whoever announced it may have died: the others wait for two seconds and no longer.
    expect(reserve(announced, pace, false, new Date(waits.askAgainAt.getTime() + 2000)).granted).toBe(true);
  });
});
