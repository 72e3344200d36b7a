import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { expireRecoveryPoints } from '../../functions/backup/expire-recovery-points.ts';
import { type RecoveryPoint, recoveryPointId } from '../../functions/backup/models.ts';
import { sweepOrphans } from '../../functions/backup/sweep-orphans.ts';
import { timestamp, VerificationId } from '../../functions/common/ids.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { memoryStateBackups } from '../../functions/memory/state-backups.ts';
import { type Death, watchedRun } from '../support/dying-run.ts';
import { type MemoryWorld, memoryWorld } from '../support/host.ts';
import { expectActsClosed, ownedSnapshots, snapshotsOf, storePoint, sweepEverywhere } from '../support/inventory.ts';
import { testOperations } from '../support/operations.ts';
import { aLocation, hms, home, standby } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const name = (days: number) => recoveryPointId(hms, 'daily', daysAgo(days));
const cbv = VerificationId.parse('cbv-meanwhile');
const operations = testOperations({ databases: testOperations().databases.slice(0, 1) });
const newWorld = () => memoryWorld({ start: now.toISOString(), operations });

const deaths = fc.array(fc.record({ call: fc.integer({ min: 1, max: 40 }), when: fc.constantFrom('before', 'after') }), { maxLength: 3 });

/** Runs the task once for each death, with time between, and once to its end. @returns how many runs died */
async function runThrough(
  world: MemoryWorld,
  task: AnyTask,
  all: readonly Death[],
  look: () => Promise<void> = async () => {},
): Promise<number> {
  let died = 0;
  for (const death of all) {
    const watched = watchedRun(world.ports, { death });
    await world.pass(task, { ports: watched.ports }).catch(() => {});
    died += Number(watched.died());
    await look();
    world.clock.advance(task.timeout);
  }
  await world.pass(task);
  return died;
}

const locationsOf = (point: RecoveryPoint | undefined, status: 'available' | 'creating') =>
  point?.locations.filter((location) => location.status === status).map(({ region, role }) => `${region} ${role}`) ?? [];

describe('copies that are interrupted', () => {
  it('end as one copy of each backup, wherever the run that starts and follows them dies', async () => {
    await fc.assert(
      fc.asyncProperty(deaths, fc.integer({ min: 1, max: 3 }), async (all, count) => {
        const world = newWorld();
        for (let age = 0; age < count; age++) await storePoint(world, daysAgo(age));
        let died = await runThrough(world, advanceRecoveryPoints, all);
        world.clock.advance(1000);
        died += await runThrough(world, advanceRecoveryPoints, all);
        for (let passes = 0; passes < 4; passes++) {
          world.clock.advance(2000); // a copy that was written down and never asked for is waited for, an hour long
          await world.pass(advanceRecoveryPoints);
        }
        await sweepEverywhere(world);

        const points = await world.ports.recoveryPoints.list(hms);
        expect(points).toHaveLength(count);
        for (const point of points) {
          expect(locationsOf(point, 'available')).toEqual([`${home} home`, `${standby} copy`]);
          expect(await world.ports.manifests.get(standby, point.id)).toEqual(await world.ports.manifests.get(home, point.id));
        }
        expect(await snapshotsOf(world)).toEqual(await ownedSnapshots(world));
        expect(await snapshotsOf(world)).toHaveLength(2 * count);
        await expectActsClosed(world, died);
      }),
      { numRuns: 150 },
    );
  });

  it('names each copy of one snapshot apart in the audit log, however many Regions it goes to at one moment', async () => {
    const [database] = operations.databases;
    const both = testOperations({
      databases: database ? [{ ...database, copyTo: [operations.regions.standby, operations.regions.tertiary] }] : [],
    });
    const world = memoryWorld({ start: now.toISOString(), operations: both });
    await storePoint(world, daysAgo(0));
    await world.pass(advanceRecoveryPoints);
    const events = await world.ports.auditLog.recent(new Date(0), 100);
    expect(events.filter(({ action, phase }) => action === 'copy-snapshot' && phase === 'outcome')).toHaveLength(2);
  });

  it('are given up after an hour when the service never heard of them, and made again', async () => {
    const world = newWorld();
    const point = await storePoint(world, daysAgo(0));
    const calls = watchedRun(world.ports, { death: { call: 8, when: 'before' } });
    await world.pass(advanceRecoveryPoints, { ports: calls.ports }).catch(() => {});
    expect(locationsOf(await world.ports.recoveryPoints.get(point.id), 'creating')).toEqual([`${standby} copy`]);
    world.clock.advance(3500);
    await world.pass(advanceRecoveryPoints);
    expect(await snapshotsOf(world)).toEqual([`${home}/${point.id}`]);
    world.clock.advance(200);
    await world.pass(advanceRecoveryPoints);
    expect(await snapshotsOf(world)).toEqual([`${home}/${point.id}`, `${standby}/${point.id}-2`]);
    expect(world.ports.metrics.latest('CopiesFailed')).toBe(1);
  });
});

describe('expiry that is interrupted', () => {
  const history = fc.uniqueArray(
    fc.record({
      age: fc.integer({ min: 0, max: 200 }),
      kind: fc.constantFrom('daily', 'six-hourly', 'emergency'),
      verdict: fc.constantFrom('verified', 'refused', undefined),
      copied: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6, selector: ({ age, kind }) => `${age} ${kind}` },
  );
  const worldWith = async (
    points: readonly { age: number; kind: RecoveryPoint['kind']; verdict?: 'verified' | 'refused' | undefined; copied: boolean }[],
  ) => {
    const world = newWorld();
    for (const { age, kind, verdict, copied } of points) {
      await storePoint(world, daysAgo(age), { kind, copied, ...(verdict ? { verdict } : {}) });
    }
    return world;
  };

  it('removes what an undisturbed run removes, and never offers a backup that is gone', async () => {
    await fc.assert(
      fc.asyncProperty(history, deaths, async (points, all) => {
        const undisturbed = await worldWith(points);
        undisturbed.clock.advance(all.length * expireRecoveryPoints.timeout); // at the moment at which the last of the others runs
        await undisturbed.pass(expireRecoveryPoints);
        const world = await worldWith(points);
        const died = await runThrough(world, expireRecoveryPoints, all, async () => {
          // A moment after each crash: what the inventory calls available is there.
          expect(await snapshotsOf(world)).toEqual(expect.arrayContaining([...(await ownedSnapshots(world))]));
        });
        await sweepEverywhere(world);

        expect(await snapshotsOf(world)).toEqual(await snapshotsOf(undisturbed));
        expect(await ownedSnapshots(world)).toEqual(await snapshotsOf(world));
        await expectActsClosed(world, died);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the newest verified backup in every Region', async () => {
    const world = await worldWith([
      { age: 150, kind: 'daily', verdict: 'verified', copied: true },
      { age: 120, kind: 'daily', verdict: 'refused', copied: true },
      { age: 1, kind: 'daily', copied: false },
    ]);
    const { result } = await world.pass(expireRecoveryPoints);
    expect(result).toEqual({ expired: [`${standby}/${name(120)}`, `${home}/${name(120)}`] });
    expect(await snapshotsOf(world)).toEqual([`${home}/${name(150)}`, `${home}/${name(1)}`, `${standby}/${name(150)}`].sort());
  });

  it('spares a backup that was verified after the decision to remove it', async () => {
    const world = await worldWith([
      { age: 60, kind: 'daily', copied: false },
      { age: 1, kind: 'daily', verdict: 'refused', copied: false },
    ]);
    const id = name(60);
    const watched = watchedRun(world.ports, {
      async meanwhile(call) {
        if (watched.calls[call - 1] !== 'recoveryPoints.update') return;
        const point = (await world.ports.recoveryPoints.list(hms)).find((each) => each.id === id);
        if (point && !point.verification)
          await world.ports.recoveryPoints.update({
            ...point,
            verification: { verificationId: cbv, outcome: 'verified', at: point.requestedAt },
          });
      },
    });
    await expect(world.pass(expireRecoveryPoints, { ports: watched.ports })).rejects.toMatchObject({ name: 'Conflict' });
    await world.pass(expireRecoveryPoints);
    expect(await snapshotsOf(world)).toContain(`${home}/${id}`);
  });
});

describe('the sweeper', () => {
  it('removes every orphan and nothing else, wherever it dies', async () => {
    await fc.assert(
      fc.asyncProperty(deaths, fc.integer({ min: 0, max: 3 }), async (all, strays) => {
        const world = newWorld();
        const kept = await storePoint(world, daysAgo(1));
        const being = await storePoint(world, daysAgo(0), { locations: [aLocation('cb-being-made', { status: 'creating' })] });
        const createdAt = kept.requestedAt;
        world.ports.databases.setSnapshot({ region: home, snapshotId: 'cb-being-made' }, { databaseId: hms, createdAt });
        world.ports.databases.setSnapshot({ region: home, snapshotId: 'cb-of-others' }, { databaseId: hms, createdAt, owner: 'others' });
        for (let stray = 0; stray < strays; stray++) {
          world.ports.databases.setSnapshot({ region: home, snapshotId: `cb-stray-${stray}` }, { databaseId: hms, createdAt });
          world.ports.databases.setRestored({ region: home, restoredId: `cbv-stray-${stray}` }, { databaseId: hms });
        }
        const died = await runThrough(world, sweepOrphans, all);
        world.clock.advance(200);

        expect(await snapshotsOf(world)).toEqual([`${home}/${being.locations[0]?.snapshotId}`, `${home}/${kept.id}`].sort());
        expect(await world.ports.databases.listRestored(home)).toEqual([]);
        await expect(
          world.ports.databases.copySnapshot({ region: home, snapshotId: 'cb-of-others' }, { region: standby, snapshotId: 'x' }),
        ).rejects.toThrow('belong');
        await expectActsClosed(world, died);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the backups of a database that has left the config', async () => {
    const world = memoryWorld({ start: now.toISOString(), operations: testOperations({ databases: testOperations().databases.slice(1) }) });
    const point = await storePoint(world, daysAgo(3), { verdict: 'verified' });
    await sweepEverywhere(world);
    expect(await snapshotsOf(world)).toEqual([`${home}/${point.id}`]);
  });

  it('goes on after an orphan that cannot be removed, and reports it', async () => {
    const world = newWorld();
    const lockedUntil = timestamp(daysAgo(-30));
    const facts = { databaseId: hms, createdAt: timestamp(daysAgo(1)) };
    world.ports.databases.setSnapshot({ region: home, snapshotId: 'cb-a-locked' }, { ...facts, lockedUntil });
    world.ports.databases.setSnapshot({ region: home, snapshotId: 'cb-b-stray' }, facts);
    expect(await world.pass(sweepOrphans)).toMatchObject({ result: { found: ['cb-a-locked', 'cb-b-stray'], kept: ['cb-a-locked'] } });
    expect(await snapshotsOf(world)).toEqual([`${home}/cb-a-locked`]);
    expect(world.ports.metrics.latest('OrphansFound', { Region: home })).toBe(2);
  });

  it('removes restored tables of its own Region that are older than a comparison takes, whoever leads', async () => {
    const world = newWorld();
    const backupsIn = [home, standby].map((region) =>
      memoryStateBackups({ deployment: world.operations, region, clock: world.clock, store: world.store }),
    );
    const left = async () => (await Promise.all(backupsIn.map((backups) => backups.listRestored()))).map(({ length }) => length);
    for (const backups of backupsIn) {
      await backups.backup(backups.logTable(), 'cb-one');
      await backups.restore(backups.logTable(), 'cb-one', 'hms-restored-one');
    }
    const [, stateBackups = world.ports.stateBackups] = backupsIn;
    const inStandby = { region: standby, ports: { ...world.ports, stateBackups } };
    await world.pass(sweepOrphans, inStandby);
    expect(await left()).toEqual([1, 1]);
    world.clock.advance(12 * 3600); // as long as the machine that compares it may take
    await world.pass(sweepOrphans, inStandby);
    expect(await left()).toEqual([1, 1]);
    world.clock.advance(1);
    await world.pass(sweepOrphans, inStandby);
    expect(await left()).toEqual([1, 0]);
    await world.pass(sweepOrphans);
    expect(await left()).toEqual([0, 0]);
  });
});
