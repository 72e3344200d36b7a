import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVerified, type RecoveryPoint } from '../../functions/backup/models.ts';
import { locationsToExpire } from '../../functions/backup/retention.ts';
import { days } from '../../functions/common/duration.ts';
import { aLocation, aRecoveryPoint, standby } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T03:00:00.000Z');
const daysAgo = (count: number) => new Date(now.getTime() - count * 86_400_000);
const policy = {
  daily: { home: days(30), copy: days(90) },
  'six-hourly': { home: days(7), copy: days(7) },
  emergency: { home: days(30), copy: days(90) },
};
const expired = (points: readonly RecoveryPoint[]) =>
  locationsToExpire(points, policy, now).map(({ location }) => `${location.region}/${location.snapshotId}`);

/** Any history: points of any age, kind and verdict, with any mix of locations. */
const history = fc.uniqueArray(
  fc
    .record({
      age: fc.double({ min: 0, max: 400, noNaN: true }),
      kind: fc.constantFrom('daily', 'six-hourly', 'emergency'),
      verdict: fc.constantFrom('verified', 'refused', undefined),
      homeStatus: fc.constantFrom('creating', 'available', 'failed', 'removed'),
      copyStatus: fc.constantFrom('creating', 'available', 'failed', 'removed', undefined),
    })
    .map(({ age, kind, verdict, homeStatus, copyStatus }) => {
      const point = aRecoveryPoint(daysAgo(age), { kind, ...(verdict ? { verdict } : {}) });
      const copy = copyStatus ? [aLocation(point.id, { region: standby, role: 'copy', status: copyStatus })] : [];
      return { ...point, locations: [aLocation(point.id, { status: homeStatus }), ...copy] };
    }),
  { maxLength: 30, selector: (point) => point.id },
);

const available = (point: RecoveryPoint) => point.locations.filter((location) => location.status === 'available');

describe('retention', () => {
  it('removes a daily backup after 30 days at home and after 90 days in the other Region', () => {
    const old = aRecoveryPoint(daysAgo(31));
    const withCopy = { ...old, locations: [...old.locations, aLocation(old.id, { region: standby, role: 'copy' as const })] };
    expect(expired([aRecoveryPoint(daysAgo(1), { verdict: 'verified' }), withCopy])).toEqual([`us-east-1/${old.id}`]);
  });

  it('keeps the newest verified point of day 90 while it removes the unverified ones of day 60', () => {
    const verified = aRecoveryPoint(daysAgo(90), { verdict: 'verified' });
    const unverified = aRecoveryPoint(daysAgo(60));
    const newest = aRecoveryPoint(daysAgo(1));
    expect(expired([verified, unverified, newest])).toEqual([`us-east-1/${unverified.id}`]);
  });

  it('keeps what is locked', () => {
    const point = aRecoveryPoint(daysAgo(60));
    const locked = {
      ...point,
      locations: [aLocation(point.id, { lockedUntil: point.requestedAt.replace('2026', '2033') as typeof point.requestedAt })],
    };
    expect(expired([aRecoveryPoint(daysAgo(1), { verdict: 'verified' }), locked])).toEqual([]);
  });

  it('never removes the newest verified point or the only backup, under any history and however often it runs', () => {
    fc.assert(
      fc.property(history, (points) => {
        const newestVerified = points
          .filter((point) => isVerified(point) && available(point).length > 0)
          .sort((a, b) => b.requestedAt.localeCompare(a.requestedAt) || b.id.localeCompare(a.id))[0];
        let left: readonly RecoveryPoint[] = points;
        for (let day = 0; day < 200; day += 40) {
          const gone = new Set(locationsToExpire(left, policy, new Date(now.getTime() + day * 86_400_000)).map(({ location }) => location));
          left = left.map((point) => ({ ...point, locations: point.locations.filter((location) => !gone.has(location)) }));
        }
        const survivor = left.find((point) => point.id === newestVerified?.id);
        if (newestVerified) expect(available(survivor ?? newestVerified)).toEqual(available(newestVerified));
        expect(left.some((point) => available(point).length > 0)).toBe(points.some((point) => available(point).length > 0));
      }),
      { numRuns: 500 },
    );
  });

  it('names the oldest first, so that stopping half-way leaves the newest', () => {
    fc.assert(
      fc.property(history, (points) => {
        const times = locationsToExpire(points, policy, now).map(({ point }) => point.requestedAt);
        expect(times).toEqual([...times].sort());
      }),
    );
  });
});
