import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecastRestore, leastSquares, type RestoreSample, restoreSamples, restoreTrend } from '../../functions/verify/trend.ts';
import { proofOf } from '../support/proofs.ts';

const now = new Date('2026-11-21T12:00:00Z');
const gigabyte = 1024 ** 3;
const daysAgo = (count: number) => new Date(now.getTime() - count * 86_400_000);
const sample = (at: Date, restoreSeconds: number, gigabytes?: number): RestoreSample => ({
  at,
  restoreSeconds,
  sizeBytes: gigabytes === undefined ? undefined : gigabytes * gigabyte,
});

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 10_000 }), number), { minLength: 2, maxLength: 30 });
const residual = (data: readonly (readonly [number, number])[], intercept: number, slope: number) =>
  data.reduce((sum, [x, y]) => sum + (y - intercept - slope * x) ** 2, 0);

describe('the line', () => {
  test('finds the one that the points lie on', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 2 }),
        fc.integer({ min: -50, max: 50 }),
        fc.integer(),
        (xs, slope, intercept) => {
          const line = leastSquares(xs.map((x) => [x, intercept + slope * x]));
          expect(line?.slope).toBeCloseTo(slope, 3);
          expect(line?.spread).toBeLessThan(1e-3 * (1 + Math.abs(intercept)));
        },
      ),
    );
  });

  test('leaves the least behind: no neighbouring line leaves less', () => {
    fc.assert(
      fc.property(points, fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }), (data, turn, lift) => {
        const line = leastSquares(data);
        if (!line) {
          expect(new Set(data.map(([x]) => x)).size).toBe(1);
          return; // what `expect` returns would be taken for the property's answer
        }
        const least = residual(data, line.intercept, line.slope);
        expect(residual(data, line.intercept + lift, line.slope + turn)).toBeGreaterThanOrEqual(least * (1 - 1e-9) - 1e-6);
      }),
      { examples: [[[[0, 0], [0, 0]], 0, 0]] }, // biome-ignore format: one case a line
    );
  });

  test('does not depend on the order', () => {
    fc.assert(
      fc.property(points, (data) => {
        const [line, reversed] = [leastSquares(data), leastSquares([...data].reverse())];
        expect(reversed?.slope ?? 0).toBeCloseTo(line?.slope ?? 0, 5);
      }),
    );
  });

  test('needs two different x', () => {
    expect(leastSquares([[1, 2]])).toBeUndefined();
    expect(leastSquares([[1, 2], [1, 5]])).toBeUndefined(); // biome-ignore format: one case a line
  });
});

describe('the trend', () => {
  test('says nothing without samples', () => {
    expect(restoreTrend([], 900, now)).toBeUndefined();
    expect(forecastRestore([], gigabyte)).toBeUndefined();
  });

  test('one restore is a figure and no trend', () => {
    const trend = restoreTrend([sample(daysAgo(1), 600, 100)], 900, now);
    expect(trend).toMatchObject({ samples: 1, latestSeconds: 600, medianSeconds: 600 });
    expect(trend?.secondsPerDay).toBeUndefined();
    expect(trend?.daysUntilObjective).toBeUndefined();
  });

  test('ten seconds slower each day reach the objective when the line says', () => {
    const samples = [10, 8, 6, 4, 2, 0].map((ago) => sample(daysAgo(ago), 700 - 10 * ago));
    const trend = restoreTrend(samples, 900, now);
    expect(trend?.secondsPerDay).toBeCloseTo(10, 6);
    expect(trend?.daysUntilObjective).toBeCloseTo(20, 6);
    expect(restoreTrend([...samples].reverse(), 900, now)).toEqual(trend);
  });

  test('of less than a week is none: scatter is not drawn out into a trend', () => {
    const afternoon = [0.01, 0.008, 0.006, 0.004, 0.002, 0].map((ago) => sample(daysAgo(ago), 10 - 100 * ago));
    const trend = restoreTrend(afternoon, 900, now);
    expect(trend?.secondsPerDay).toBeUndefined();
    expect(trend?.daysUntilObjective).toBeUndefined();
  });

  test('a falling or a flat one reaches it never', () => {
    const falling = [10, 5, 0].map((ago) => sample(daysAgo(ago), 500 + 10 * ago));
    expect(restoreTrend(falling, 900, now)?.daysUntilObjective).toBeUndefined();
    const flat = [10, 5, 0].map((ago) => sample(daysAgo(ago), 500));
    expect(restoreTrend(flat, 900, now)?.daysUntilObjective).toBeUndefined();
  });
});

describe('the forecast', () => {
  test('grows with the size of the database', () => {
    const samples = [100, 200, 300].map((size, index) => sample(daysAgo(10 - index), 60 + 3 * size, size));
    expect(forecastRestore(samples, 400 * gigabyte)).toMatchObject({ basis: 'size', samples: 3 });
    expect(forecastRestore(samples, 400 * gigabyte)?.expectedSeconds).toBeCloseTo(1260, 6);
  });

  test('falls back on the median where size tells nothing', () => {
    const same = [500, 700, 600].map((time, index) => sample(daysAgo(index), time, 100));
    expect(forecastRestore(same, 100 * gigabyte)).toMatchObject({ basis: 'median', expectedSeconds: 600, samples: 3 });
    const shrinking = [sample(daysAgo(2), 900, 100), sample(daysAgo(1), 300, 200)];
    expect(forecastRestore(shrinking, 300 * gigabyte)).toMatchObject({ basis: 'median' });
    expect(forecastRestore(same, undefined)).toMatchObject({ basis: 'median' });
  });

  test('tells how restores scatter once there are enough of them', () => {
    const times = [500, 700, 600, 600, 600].map((time, index) => sample(daysAgo(index), time));
    expect(forecastRestore(times.slice(1), undefined)?.withinSeconds).toBeUndefined();
    expect(forecastRestore(times, undefined)?.withinSeconds).toBeCloseTo(2 * Math.sqrt(20_000 / 5), 6);
  });

  test('is never below zero', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 4000 })), {
          minLength: 1,
        }),
        fc.integer({ min: 0, max: 5000 }),
        (data, size) => {
          const forecast = forecastRestore(
            data.map(([ago, time, gigabytes]) => sample(daysAgo(ago), time, gigabytes)),
            size * gigabyte,
          );
          expect(forecast?.expectedSeconds).toBeGreaterThanOrEqual(0);
          expect(forecast?.withinSeconds ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test('rests on what proofs have measured, and on nothing else', () => {
    const proofs = [
      { proof: proofOf('2026-11-21T10:00:00.000Z', { measured: { restoreSeconds: 20, sizeBytes: 5 } }) },
      { proof: proofOf('2026-11-20T10:00:00.000Z', { measured: {} }) },
      { proof: proofOf('2026-11-19T10:00:00.000Z', { measured: { restoreSeconds: 10 }, outcome: 'refused' }) },
    ];
    expect(restoreSamples(proofs).map(({ restoreSeconds }) => restoreSeconds)).toEqual([10, 20]);
  });
});
