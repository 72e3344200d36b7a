import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLogFreshness, logFreshness } from '../../functions/backup/check-log-freshness.ts';
import { lockRecoveryPoints } from '../../functions/backup/lock-recovery-points.ts';
import { writeCanaries } from '../../functions/backup/write-canary.ts';
import { days, seconds } from '../../functions/common/duration.ts';
import { sqlServersFrom } from '../../functions/memory/sql-servers.ts';
import { canaryState } from '../../functions/verify/canary.ts';
import type { SqlServer, SqlSession } from '../../functions/verify/ports.ts';
import { memoryWorld } from '../support/host.ts';
import { expectActsClosed } from '../support/inventory.ts';
import { testOperations } from '../support/operations.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { hms, home } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const secondsAgo = (count: number) => new Date(now.getTime() - count * 1000);
const onlyHms = testOperations({ databases: testOperations().databases.slice(0, 1) });

describe('check-log-freshness', () => {
  const check = async (live: Parameters<ReturnType<typeof memoryWorld>['ports']['databases']['setLive']>[2]) => {
    const world = memoryWorld({ start: now.toISOString(), operations: onlyHms });
    world.ports.databases.setLive(hms, home, live);
    const { result } = await world.pass(checkLogFreshness);
    return { result, metric: world.ports.metrics.latest('LogAgeSeconds', { Database: hms }) };
  };

  it('measures the age of the newest restorable second', async () => {
    expect(await check({ latestRestorableAt: secondsAgo(899) })).toEqual({
      result: { databases: [{ databaseId: hms, ageSeconds: 899, findings: [] }] },
      metric: 899,
    });
  });

  it('says so when the log is older than the objective, or kept shorter than the config wants', async () => {
    const late = await check({ latestRestorableAt: secondsAgo(901) });
    expect(late).toMatchObject({
      metric: 901,
      result: { databases: [{ findings: ['the newest restorable second is 901 s old, the objective is 900 s'] }] },
    });
    const [database] = testOperations({
      databases: onlyHms.databases.map((each) => ({ ...each, pointInTime: { enabled: true, window: days(7) } })),
    }).databases;
    const world = memoryWorld({ operations: onlyHms, start: now.toISOString() });
    const live = await world.ports.databases.describe(hms, onlyHms.regions.primary);
    expect(database && logFreshness(database, live, now).findings).toEqual(['logs are kept 1 d, the config wants 7 d']);
  });

  it('tells whether a replica follows, where the config wants one', async () => {
    const missing = async (replicas: string[]) => {
      const world = memoryWorld({ start: now.toISOString(), operations: onlyHms });
      world.ports.databases.setLive(hms, home, { replicas });
      await world.pass(checkLogFreshness);
      return world.ports.metrics.latest('ReplicaMissing', { Database: hms });
    };
    expect(await missing(['hms-replica'])).toBe(0);
    expect(await missing([])).toBe(1);
    const alone = testOperations({ databases: onlyHms.databases.map(({ replica: _, ...database }) => database) });
    const world = memoryWorld({ start: now.toISOString(), operations: alone });
    await world.pass(checkLogFreshness);
    expect(world.ports.metrics.latest('ReplicaMissing')).toBeUndefined();
  });

  it('tells an age above every objective where no log is kept, so that the alarm rings, and says why', async () => {
    const { result, metric } = await check({ logRetentionDays: 0 });
    expect(metric).toBe(days(365));
    expect(result).toMatchObject({ databases: [{ findings: ['point-in-time restore is off: no transaction log is kept'] }] });
  });

  it('asks nothing of a database whose log is off by config', async () => {
    const off = onlyHms.databases.map((each) => ({ ...each, pointInTime: { enabled: false, window: days(1) } }));
    const world = memoryWorld({ start: now.toISOString(), operations: testOperations({ databases: off }) });
    expect(await world.pass(checkLogFreshness)).toEqual({ ran: true, result: { databases: [] } });
  });
});

describe('lock-recovery-points', () => {
  const worldIn = (mode: 'off' | 'simulate' | 'compliance') =>
    memoryWorld({ start: now.toISOString(), operations: testOperations({ vaultLock: { ...testOperations().vaultLock, mode } }) });
  const held = (world: ReturnType<typeof worldIn>) => world.ports.vault.list(world.operations.regions.primary, hms);

  it('locks nothing while it simulates, and says until when it would', async () => {
    const world = worldIn('simulate');
    const { result } = await world.run(lockRecoveryPoints);
    expect(result).toMatchObject({
      copies: [{ databaseId: 'hms', mode: 'simulate', lockedUntil: '2026-12-21T12:00:00.000Z', heldCopies: 0 }, {}],
    });
    expect(await held(world)).toEqual([]);
    expect(await world.ports.auditLog.recent(new Date(0), 10)).toEqual([]);
  });

  it('locks one copy of each database for an occurrence, however often it runs, and records it', async () => {
    const world = worldIn('compliance');
    await world.run(lockRecoveryPoints, { scheduledAt: now, key: 'first' });
    world.clock.advance(60);
    await world.run(lockRecoveryPoints, { scheduledAt: now, key: 'second' });
    expect(await held(world)).toMatchObject([{ lockedUntil: new Date('2026-12-21T12:00:00Z') }]);
    const acts = await world.ports.auditLog.recent(new Date(0), 100);
    expect(acts.filter(({ action, phase }) => action === 'lock-copy' && phase === 'outcome')).toHaveLength(4);
    await expectActsClosed(world, 0);
  });

  it('has no schedule where the lock is off', () => {
    expect(lockRecoveryPoints.schedules(worldIn('off').operations)).toEqual([]);
    expect(lockRecoveryPoints.schedules(worldIn('simulate').operations)).toHaveLength(1);
  });
});

describe('write-canary', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
    await postgres.sql('postgres', 'create database second');
  });
  afterAll(() => postgres?.stop());

  const worldWith = (databaseNames?: readonly string[]) => {
    const databases = onlyHms.databases.map((each) => ({ ...each, ...(databaseNames ? { databaseNames: [...databaseNames] } : {}) }));
    const operations = testOperations({ databases, canary: { ...onlyHms.canary, interval: seconds(20) } });
    return memoryWorld({ start: now.toISOString(), operations, sqlServers: sqlServersFrom({ live: () => postgres.server }) });
  };
  const written = async (databaseName: string) => {
    const session = await postgres.server.connect(databaseName);
    try {
      const { oldest, newest, missing } = await canaryState(session);
      return [oldest?.seq, newest?.seq, missing];
    } finally {
      await session.close();
    }
  };

  it('writes at the interval of the config until the next run has surely begun, and goes on from there', async () => {
    const world = worldWith(['postgres']);
    expect(await world.run(writeCanaries, { input: { databaseId: hms } })).toMatchObject({ result: { written: 4 } }); // at 0, 20, 40 and 60 s
    expect(await world.run(writeCanaries, { input: { databaseId: hms } })).toMatchObject({ result: { written: 4 } });
    expect(await written('postgres')).toEqual([1, 8, 0]);
  });

  it('tells how long a write takes on average, there and back', async () => {
    const { operations } = worldWith(['postgres']);
    const far: SqlServer = { connect: async (name) => overDistance(await postgres.server.connect(name)) };
    const world = memoryWorld({ start: now.toISOString(), operations, sqlServers: sqlServersFrom({ live: () => far }) });
    const overDistance = (session: SqlSession): SqlSession => ({
      query(text, values) {
        world.clock.advance(text.includes('insert into codeblue.canary') ? 0.25 : 10);
        return session.query(text, values);
      },
      close: () => session.close(),
    });
    await world.run(writeCanaries, { input: { databaseId: hms } });
    expect(world.ports.metrics.latest('CanaryCommitSeconds', { Database: hms })).toBe(0.25);
  });

  it('ends in order before its host would stop it', async () => {
    const world = worldWith(['postgres']);
    const [, before] = await written('postgres');
    const short = { ...writeCanaries, timeout: seconds(30) };
    expect(await world.run(short, { input: { databaseId: hms } })).toMatchObject({ result: { written: 2 } });
    expect(await written('postgres')).toEqual([1, Number(before) + 2, 0]);
  });

  it('goes to every database of the server where the config names none', async () => {
    await worldWith().run(writeCanaries, { input: { databaseId: hms } });
    const [found] = await postgres.sql('second', `select to_regclass('codeblue.canary') is not null as prepared`);
    expect(found?.prepared).toBe('t');
  });

  it('refuses a database that the config does not have', async () => {
    const world = memoryWorld({ sqlServers: sqlServersFrom({ live: () => postgres.server }) });
    await expect(world.run(writeCanaries, { input: { databaseId: 'unknown' } })).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});
