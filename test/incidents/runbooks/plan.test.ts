import { describe, expect, it } from 'vitest';
import { minutes } from '../../../functions/common/duration.ts';
import { Region } from '../../../functions/common/ids.ts';
import type { AutomatedRunbook } from '../../../functions/common/incident-policy.ts';
import { type Facts, planAct } from '../../../functions/incidents/runbooks/plan.ts';

const east = Region.parse('us-east-1');
const now = new Date('2026-11-21T12:00:00.000Z');
const plan = (action: AutomatedRunbook['action'], facts: Facts) => {
  const planned = planAct({ action }, facts, { region: east, startedAt: now });
  return planned.kind === 'act' ? planned.act : planned.because;
};

describe('scale-out', () => {
  const action = { kind: 'scale-out', capacity: 'orders-api', by: 3, atMost: 8 } as const;
  const at = (wanted: number): Facts => ({ kind: 'capacity', wanted, running: wanted });
  it('adds no more than it may', () => {
    expect(plan(action, at(4))).toEqual({ kind: 'scale-out', capacity: 'orders-api', from: 4, to: 7 });
    expect(plan(action, at(6))).toMatchObject({ to: 8 });
    expect(plan(action, at(8))).toBe('orders-api is meant to run at 8 already, and atMost is 8');
    expect(plan(action, at(12))).toContain('already');
  });
  it('leaves off what is meant to be off', () => expect(plan(action, at(0))).toContain('there is nothing to mend'));
});

describe('enlarge-storage', () => {
  const action = { kind: 'enlarge-storage', database: 'hms', byPercent: 20, atMostGigabytes: 500 } as const;
  const storage = { isAllocated: true, gigabytes: 100, mostGigabytes: undefined, status: 'available', changedAt: undefined };
  const of = (given: Partial<typeof storage> | { changedAt: Date } | { mostGigabytes: number }) =>
    plan(action, { kind: 'storage', storage: { ...storage, ...given } });

  it('enlarges by its share, also what is full', () => {
    expect(of({})).toEqual({ kind: 'enlarge-storage', databaseId: 'hms', fromGigabytes: 100, toGigabytes: 120 });
    expect(of({ status: 'storage-full' })).toMatchObject({ toGigabytes: 120 });
    expect(of({ gigabytes: 101 })).toMatchObject({ toGigabytes: 122 });
  });
  it('is bounded by the config and by the limit that the instance has', () => {
    expect(of({ gigabytes: 450 })).toMatchObject({ toGigabytes: 500 });
    expect(of({ gigabytes: 460 })).toBe('hms has 460 GiB, 500 GiB is the most, and RDS enlarges by a tenth at least');
    expect(of({ mostGigabytes: 115 })).toMatchObject({ toGigabytes: 115 });
    expect(of({ mostGigabytes: 105 })).toContain('105 GiB is the most');
  });
  it('waits for the six hours, and for the optimization of the storage', () => {
    expect(of({ changedAt: new Date(now.getTime() - 3 * 3_600_000) })).toBe(
      'the storage of hms was changed 3 h ago, and RDS changes it once in 6 h',
    );
    expect(of({ changedAt: new Date(now.getTime() - 6 * 3_600_000) })).toMatchObject({ kind: 'enlarge-storage' });
    expect(of({ status: 'storage-optimization' })).toContain('still optimizes');
    expect(of({ status: 'backing-up' })).toContain('hms is backing-up');
  });
  it('has nothing to do for Aurora', () => expect(of({ isAllocated: false })).toContain('grows by itself'));
});

describe('a backup', () => {
  const action = { kind: 'emergency-backup', database: 'hms' } as const;
  it('is of the database that leads, and named by its run', () => {
    expect(plan(action, { kind: 'database', leader: east })).toMatchObject({ recoveryPointId: 'cb-hms-emergency-20261121t120000z' });
    expect(plan(action, { kind: 'database', leader: Region.parse('us-west-2') })).toContain('one of a replica');
  });
});

it('queries of any Region are ended there', () => {
  const action = { kind: 'end-long-queries', database: 'hms', olderThan: minutes(10) } as const;
  expect(plan(action, { kind: 'database', leader: Region.parse('us-west-2') })).toMatchObject({ olderThanSeconds: 600 });
});
