import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { advanceRecoveryPoints } from '../../functions/backup/advance-recovery-points.ts';
import { backupDatabase } from '../../functions/backup/backup-database.ts';
import { type RecoveryPoint, recoveryPointId } from '../../functions/backup/models.ts';
import type { RecoveryPoints } from '../../functions/backup/ports.ts';
import { sweepOrphans } from '../../functions/backup/sweep-orphans.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { sqlServersFrom } from '../../functions/memory/sql-servers.ts';
import { decodeManifest } from '../../functions/verify/manifest.ts';
import type { SqlServer } from '../../functions/verify/ports.ts';
import { sha256Hex } from '../../functions/verify/proof.ts';
import { type Death, watchedRun } from '../support/dying-run.ts';
import { type MemoryWorld, memoryWorld } from '../support/host.ts';
import { expectActsClosed, ownedSnapshots, snapshotsOf, sweepEverywhere } from '../support/inventory.ts';
import { testOperations } from '../support/operations.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { recordedServer } from '../support/recorded-server.ts';
import { hms, home, standby } from '../support/recovery-points.ts';

const due = new Date('2026-11-21T07:00:00.000Z');
const id = recoveryPointId(hms, 'daily', due);
const event = { key: 'hms/daily', scheduledAt: due, input: { databaseId: hms, kind: 'daily' } };
const operations = testOperations({ databases: testOperations().databases.slice(0, 1) });

let postgres: TestPostgres;
let server: ReturnType<typeof recordedServer>;
const newWorld = () => memoryWorld({ start: due.toISOString(), operations, sqlServers: sqlServersFrom({ live: () => server }) });

beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.sql(
    'postgres',
    'create table patients (id int primary key, name text); insert into patients values (1, $$a$$), (2, $$b$$)',
  );
  server = recordedServer(postgres.server);
  await newWorld().run(backupDatabase, event);
  server.seal();
});
afterAll(() => postgres?.stop());

async function callsOfOneRun(): Promise<readonly string[]> {
  const world = newWorld();
  const watched = watchedRun(world.ports);
  await world.run(backupDatabase, event, { ports: watched.ports });
  return watched.calls;
}

/** What another process does while the backup runs. */
type Meanwhile = { readonly call: number; readonly does: 'advance' | 'advance five minutes later' | 'sweep' };

/** One attempt; it may die, and may be refused because of what others did. @returns whether it died */
async function attempt(world: MemoryWorld, death?: Death, others: readonly Meanwhile[] = []): Promise<boolean> {
  const watched = watchedRun(world.ports, {
    death,
    async meanwhile(call) {
      for (const { does } of others.filter((each) => each.call === call)) {
        if (does === 'advance five minutes later') world.clock.advance(300);
        await world.pass(does === 'sweep' ? sweepOrphans : advanceRecoveryPoints).catch(() => {});
      }
    },
  });
  await world.run(backupDatabase, event, { ports: watched.ports }).catch(() => {});
  return watched.died();
}

/** Time goes by: the dead run's claim grows stale, the schedule or `run-missed-tasks` tries again, and the rest of the house does its work. */
async function afterwards(world: MemoryWorld): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    world.clock.advance(backupDatabase.timeout);
    await world.run(backupDatabase, event);
  }
  for (let passes = 0; passes < 4; passes++) {
    world.clock.advance(1200);
    await world.pass(advanceRecoveryPoints);
  }
  await sweepEverywhere(world);
}

async function expectOneCompletePoint(world: MemoryWorld, deaths: number): Promise<void> {
  const { recoveryPoints, manifests, databases } = world.ports;
  const [point, ...others] = await recoveryPoints.list(hms);
  expect(others).toEqual([]);
  const available = point?.locations.filter(({ status }) => status === 'available') ?? [];
  expect(available.map(({ region, role }) => `${region} ${role}`)).toEqual([`${home} home`, `${standby} copy`]);
  expect(await snapshotsOf(world)).toEqual(await ownedSnapshots(world));
  for (const region of [home, standby]) {
    expect(sha256Hex((await manifests.get(region, id)) ?? '')).toBe(point?.manifestSha256);
  }
  // The manifest was open when its snapshot was asked for, and was completed after: it belongs to this snapshot and to no other.
  const manifest = decodeManifest((await manifests.get(home, id)) ?? new Uint8Array());
  const snapshot = await databases.describeSnapshot({ region: home, snapshotId: available[0]?.snapshotId ?? '' });
  expect(Date.parse(manifest.openedAt)).toBeLessThanOrEqual(snapshot?.createdAt.getTime() ?? 0);
  expect(Date.parse(manifest.completedAt)).toBeGreaterThanOrEqual((snapshot?.createdAt.getTime() ?? Number.POSITIVE_INFINITY) + 2000);
  await expectActsClosed(world, deaths);
}

describe('a backup that is interrupted', () => {
  it('ends in one complete recovery point, whichever call it dies at', async () => {
    const calls = await callsOfOneRun();
    expect(calls.length).toBeGreaterThan(10);
    for (const when of ['before', 'after'] as const) {
      for (let call = 1; call <= calls.length; call++) {
        const world = newWorld();
        expect(await attempt(world, { call, when })).toBe(true);
        await afterwards(world);
        await expectOneCompletePoint(world, 1).catch((error: unknown) => {
          throw new Error(`died ${when} call ${call}, ${calls[call - 1]}`, { cause: error });
        });
      }
    }
  });

  it('does so when it dies again, and whatever runs meanwhile', async () => {
    const death = fc.record({ call: fc.integer({ min: 1, max: 20 }), when: fc.constantFrom('before', 'after') });
    const meanwhile = fc.record({
      call: fc.integer({ min: 1, max: 20 }),
      does: fc.constantFrom('advance', 'advance five minutes later', 'sweep'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(death, { maxLength: 2 }), fc.array(meanwhile, { maxLength: 2 }), async (deaths, others) => {
        const world = newWorld();
        let died = 0;
        for (const each of deaths) {
          died += Number(await attempt(world, each, others));
          world.clock.advance(backupDatabase.timeout);
        }
        died += Number(await attempt(world, undefined, others));
        await afterwards(world);
        await expectOneCompletePoint(world, died);
      }),
      { numRuns: 200 },
    );
  });

  it('is no backup, and says so, after the third attempt that failed', async () => {
    const world = newWorld();
    // Each attempt dies when it has asked for its snapshot: no manifest is ever stored.
    const call = (await callsOfOneRun()).indexOf('databases.createSnapshot') + 1;
    for (let attempts = 0; attempts < 3; attempts++) {
      expect(await attempt(world, { call, when: 'after' })).toBe(true);
      world.clock.advance(backupDatabase.timeout);
    }
    await expect(world.run(backupDatabase, event)).rejects.toMatchObject({ name: 'GaveUp', retryable: false });
    expect(await world.ports.databases.listSnapshots(home)).toHaveLength(3);
  });

  it('is taken once when two triggers of one occurrence come', async () => {
    const world = newWorld();
    const results = await Promise.all([world.run(backupDatabase, event), world.run(backupDatabase, event)]);
    expect(results.map(({ ran }) => ran).sort()).toEqual([false, true]);
    expect(await world.ports.databases.listSnapshots(home)).toHaveLength(1);
  });

  it('succeeds in its first run although others follow its snapshot and write to its line', async () => {
    const world = newWorld();
    const watched = watchedRun(world.ports, {
      async meanwhile() {
        if (watched.calls.at(-1) !== 'manifests.put') return;
        world.clock.advance(300);
        await world.pass(advanceRecoveryPoints);
      },
    });
    const lost: RecoveryPoint[] = [];
    const recoveryPoints: RecoveryPoints = {
      ...world.ports.recoveryPoints,
      async update(point) {
        // Between reading the finished line and writing it, somebody else writes.
        if (point.manifestSha256 && lost.length < 2) {
          const current = await world.ports.recoveryPoints.get(id);
          if (current) lost.push(await world.ports.recoveryPoints.update(current));
        }
        return world.ports.recoveryPoints.update(point);
      },
    };
    const { result } = await world.run(backupDatabase, event, { ports: { ...watched.ports, recoveryPoints } });
    expect(result).toEqual({ recoveryPointId: id, taken: true });
    expect(lost).toHaveLength(2);
    expect((await world.ports.recoveryPoints.get(id))?.locations).toMatchObject([{ status: 'available', role: 'home' }]);
  });

  it('leaves no session open in the live database, however it fails', async () => {
    let open = 0;
    const counting: SqlServer = {
      async connect(databaseName) {
        const session = await server.connect(databaseName);
        open++;
        return { query: session.query, close: () => session.close().then(() => void open--) };
      },
    };
    for (const method of ['createSnapshot', 'describeSnapshot'] as const) {
      const world = memoryWorld({ start: due.toISOString(), operations, sqlServers: sqlServersFrom({ live: () => counting }) });
      world.ports.databases.failNext(method, new ServiceUnavailable('throttled'));
      await expect(world.run(backupDatabase, event)).rejects.toThrow('throttled');
      expect(open).toBe(0);
      expect(await world.run(backupDatabase, event)).toMatchObject({ ran: true, result: { taken: true } });
      expect(open).toBe(0);
    }
  });

  it('fails without a trace in the database service when its snapshot cannot be announced in the audit log', async () => {
    const world = newWorld();
    const auditLog = { ...world.ports.auditLog, record: () => Promise.reject(new Error('the audit log is down')) };
    await expect(world.run(backupDatabase, event, { ports: { ...world.ports, auditLog } })).rejects.toThrow('the audit log is down');
    expect(await world.ports.databases.listSnapshots(home)).toEqual([]);
  });
});
