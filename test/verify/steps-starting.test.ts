import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, hours } from '../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import { checkVerificationAge } from '../../functions/verify/check-verification-age.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import { startVerifications } from '../../functions/verify/start-verifications.ts';
import { randomSecond, verifyPointInTime } from '../../functions/verify/verify-point-in-time.ts';
import { verifySecondRegion } from '../../functions/verify/verify-second-region.ts';
import { type MemoryWorld, memoryWorld } from '../support/host.ts';
import { expectActsClosed, storePoint } from '../support/inventory.ts';
import { testOperations } from '../support/operations.ts';
import { aLocation, hms, home, standby } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const hoursAgo = (count: number) => new Date(now.getTime() - count * 3_600_000);
const newWorld = () =>
  memoryWorld({ start: now.toISOString(), operations: testOperations({ databases: testOperations().databases.slice(0, 1) }) });

const started = ({ ports }: MemoryWorld) =>
  ports.executions.started.map(({ machine, region, name, input }) => ({ machine, region, name, record: VerificationRecord.parse(input) }));
const startedTargets = (world: MemoryWorld) =>
  started(world).map(({ region, record }) =>
    record.target.kind === 'recovery-point' ? `${region}/${record.target.snapshotId}` : record.target.time,
  );

describe('start-verifications', () => {
  it('starts one for each backup that nobody judged, oldest first, and none twice', async () => {
    const world = newWorld();
    const younger = await storePoint(world, hoursAgo(1));
    const older = await storePoint(world, hoursAgo(7));
    await storePoint(world, hoursAgo(13), { verdict: 'verified' });
    await storePoint(world, hoursAgo(19), { verdict: 'refused' });
    await world.pass(startVerifications);
    await world.pass(startVerifications);
    expect(startedTargets(world)).toEqual([`${home}/${older.id}`, `${home}/${younger.id}`]);
    expect(started(world).map(({ name, record }) => name === record.verificationId)).toEqual([true, true]);
    await expectActsClosed(world, 0);
  });

  it('waits for the snapshot to be available and for the manifest to be written down', async () => {
    const world = newWorld();
    const point = await storePoint(world, hoursAgo(1), { locations: [aLocation('cb-young', { status: 'creating' })] });
    const { manifestSha256: _, ...unfinished } = await storePoint(world, hoursAgo(2));
    await world.ports.recoveryPoints.update(unfinished);
    await world.pass(startVerifications);
    expect(startedTargets(world)).toEqual([]);
    await world.ports.recoveryPoints.update({ ...point, locations: [aLocation('cb-young')] });
    await world.pass(startVerifications);
    expect(startedTargets(world)).toEqual([`${home}/cb-young`]);
  });

  it('fails where an execution cannot start, and starts it the next time', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1));
    const executions = { ...world.ports.executions, start: () => Promise.reject(new ServiceUnavailable('throttled')) };
    await expect(world.pass(startVerifications, { ports: { ...world.ports, executions } })).rejects.toThrow('throttled');
    await world.pass(startVerifications);
    expect(started(world)).toHaveLength(1);
  });
});

describe('verify-second-region', () => {
  it('restores the newest copy there, one whose home was verified before a newer one whose was not', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1), { copied: true });
    const verified = await storePoint(world, hoursAgo(7), { copied: true, verdict: 'verified' });
    await storePoint(world, hoursAgo(31), { copied: true, verdict: 'verified' });
    await world.run(verifySecondRegion);
    expect(startedTargets(world)).toEqual([`${standby}/${verified.id}`]);
    expect(started(world)[0]).toMatchObject({
      machine: 'verify-recovery-point',
      region: standby,
      record: { purpose: 'second-region', region: standby },
    });
  });

  it('starts one a month even when there is no newer copy, and one only for one occurrence', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1), { copied: true });
    await world.run(verifySecondRegion, { scheduledAt: now });
    await world.run(verifySecondRegion, { scheduledAt: now });
    expect(started(world)).toHaveLength(1);
    world.clock.advance(30 * 86_400);
    await world.run(verifySecondRegion);
    expect(started(world)).toHaveLength(2);
  });

  it('starts nothing where there is no available copy', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1), {
      locations: [aLocation('cb-x'), aLocation('cb-x', { region: standby, role: 'copy', status: 'creating' })],
    });
    expect(await world.run(verifySecondRegion)).toMatchObject({ result: { started: [] } });
  });
});

describe('verify-point-in-time', () => {
  it('restores each database with a log to a second within its window, and records which', async () => {
    const world = memoryWorld({ start: now.toISOString() });
    const [from, to] = [hoursAgo(1.5), hoursAgo(1)];
    for (const { id } of world.operations.databases)
      world.ports.databases.setLive(id, home, { earliestRestorableAt: from, latestRestorableAt: to });
    await world.run(verifyPointInTime);
    expect(started(world).map(({ record }) => [record.databaseId, record.purpose])).toEqual([
      ['hms', 'point-in-time'],
      ['billing', 'point-in-time'],
    ]);
    const times = startedTargets(world);
    for (const time of times) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(from.getTime());
      expect(Date.parse(time)).toBeLessThanOrEqual(to.getTime());
    }
    const intents = (await world.ports.auditLog.recent(new Date(0), 10)).filter(({ phase }) => phase === 'intent');
    expect(intents.map(({ details }) => details.time).sort()).toEqual([...times].sort());
  });

  it('leaves out a database whose log is off by config, and fails for one whose log should be there', async () => {
    const [first, second] = testOperations().databases;
    if (!first || !second) throw new TypeError('the test deployment has two databases');
    const operations = testOperations({ databases: [{ ...first, pointInTime: { enabled: false, window: days(1) } }, second] });
    const world = memoryWorld({ start: now.toISOString(), operations });
    await world.run(verifyPointInTime);
    expect(started(world).map(({ record }) => record.databaseId)).toEqual(['billing']);
    world.ports.databases.setLive(second.id, home, { latestRestorableAt: undefined });
    await expect(world.pass(verifyPointInTime)).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('chooses a whole second of the window, every one of them, for any window and any draw', () => {
    const window = fc.tuple(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.integer({ min: 1000, max: 30 * 86_400_000 }));
    fc.assert(
      fc.property(window, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), ([start, length], draw) => {
        const [from, to] = [new Date(start), new Date(start + length)];
        const time = randomSecond(from, to, (limit) => Math.floor(draw * limit));
        expect(time.getMilliseconds()).toBe(0);
        expect(time >= from && time <= to).toBe(true);
      }),
      { numRuns: 1000 },
    );
    const [from, to] = [new Date(10_500), new Date(14_200)];
    const limits: number[] = [];
    const draws = [0, 1, 2, 3].map((draw) => randomSecond(from, to, (limit) => limits.push(limit) && draw).getTime());
    expect(draws).toEqual([11_000, 12_000, 13_000, 14_000]);
    expect(limits).toEqual([4, 4, 4, 4]);
  });

  it('finds no second in a window that has none', () => {
    expect(() => randomSecond(new Date(10_200), new Date(10_800), () => 0)).toThrow('no whole second');
  });
});

describe('check-verification-age', () => {
  const maxAge = hours(30);
  const check = async (world: MemoryWorld) => (await world.pass(checkVerificationAge)).result;

  it('counts from when the newest verified backup was taken, whatever came after it', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(29), { verdict: 'verified' });
    await storePoint(world, hoursAgo(5), { verdict: 'refused' });
    await storePoint(world, hoursAgo(1));
    expect(await check(world)).toEqual({ ages: [{ databaseId: hms, ageSeconds: 29 * 3600, overdue: false }] });
    world.clock.advance(3601);
    expect(await check(world)).toEqual({ ages: [{ databaseId: hms, ageSeconds: maxAge + 1, overdue: true }] });
    expect(world.ports.metrics.latest('NewestVerifiedAgeSeconds', { Database: hms })).toBe(maxAge + 1);
  });

  it('does not count a verified backup that is no longer there', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1), { verdict: 'verified', locations: [aLocation('cb-gone', { status: 'removed' })] });
    expect(await check(world)).toMatchObject({ ages: [{ overdue: true }] });
  });

  it('says ten years where nothing was ever verified, so that the alarm rings', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1));
    expect(await check(world)).toMatchObject({ ages: [{ ageSeconds: 10 * 365 * 86_400, overdue: true }] });
  });
});

describe('names of verifications', () => {
  it('tell Regions apart: a copy and its home snapshot have one snapshot name', async () => {
    const world = newWorld();
    await storePoint(world, hoursAgo(1), { copied: true });
    await world.pass(startVerifications);
    await world.run(verifySecondRegion);
    expect(new Set(started(world).map(({ name }) => name)).size).toBe(2);
    expect(started(world).map(({ region }) => region)).toEqual([home, Region.parse('us-west-2')]);
    expect(started(world).map(({ record }) => record.startedAt)).toEqual([timestamp(now), timestamp(now)]);
  });
});
