import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copiesPerDestination, copiesToStart, copyTargets } from '../../functions/backup/advance-plan.ts';
import { days } from '../../functions/common/duration.ts';
import { aLocation, aRecoveryPoint, home, standby } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const hoursAgo = (count: number) => new Date(now.getTime() - count * 3_600_000);
const plan = (points: Parameters<typeof copiesToStart>[0]) => copiesToStart(points, [standby], now, days(90)).map((copy) => copy.point.id);

describe('where copies go', () => {
  it('to the Regions of the config while the primary leads', () => {
    expect(copyTargets([standby], home, home)).toEqual([standby]);
  });

  it('to the primary too once a Region leads that they went to: its backups would have no second Region', () => {
    expect(copyTargets([standby], standby, home)).toEqual([standby, home]);
    const taken = { ...aRecoveryPoint(hoursAgo(1)) };
    const there = { ...taken, locations: taken.locations.map((location) => ({ ...location, region: standby })) };
    const plans = copiesToStart([there], copyTargets([standby], standby, home), now, days(90));
    expect(plans.map(({ from, to }) => [from.region, to])).toEqual([[standby, home]]);
  });
});

describe('copies to start', () => {
  it('copies an available point to a Region that has none', () => {
    const point = aRecoveryPoint(hoursAgo(1));
    expect(plan([point])).toEqual([point.id]);
  });

  it.each([
    ['its copy exists', { status: 'available' }],
    ['its copy is being made', { status: 'creating' }],
    ['its copy was removed at the end of its retention', { status: 'removed' }],
  ] as const)('does not copy again when %s', (_, { status }) => {
    const point = aRecoveryPoint(hoursAgo(1));
    expect(plan([{ ...point, locations: [...point.locations, aLocation(point.id, { region: standby, role: 'copy', status })] }])).toEqual(
      [],
    );
  });

  it('tries a failed copy again, five times', () => {
    const point = aRecoveryPoint(hoursAgo(1));
    const failed = (count: number) =>
      Array.from({ length: count }, (_, i) => aLocation(`${point.id}-${i}`, { region: standby, role: 'copy', status: 'failed' }));
    expect(plan([{ ...point, locations: [...point.locations, ...failed(4)] }])).toEqual([point.id]);
    expect(plan([{ ...point, locations: [...point.locations, ...failed(5)] }])).toEqual([]);
  });

  it('does not spread a refused backup, nor one without a manifest', () => {
    const { manifestSha256: _, ...unfinished } = aRecoveryPoint(hoursAgo(2));
    expect(plan([aRecoveryPoint(hoursAgo(1), { verdict: 'refused' }), unfinished])).toEqual([]);
  });

  it('stays under the limit of copies at one time and takes the newest first', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), (waiting, running) => {
        const points = Array.from({ length: waiting }, (_, i) => aRecoveryPoint(hoursAgo(i + 1)));
        const copying = Array.from({ length: running }, (_, i) => {
          const point = aRecoveryPoint(hoursAgo(100 + i));
          return {
            ...point,
            locations: [...point.locations, aLocation(point.id, { region: standby, role: 'copy' as const, status: 'creating' as const })],
          };
        });
        const started = plan([...copying, ...points]);
        expect(started.length).toBe(Math.min(waiting, Math.max(0, copiesPerDestination - running)));
        expect(started).toEqual(points.slice(0, started.length).map((point) => point.id));
      }),
    );
  });
});
