import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../functions/common/clock.ts';
import { NotFound } from '../../functions/common/errors.ts';
import { canaryState, databaseNamesOf, installCanary, newestCanary, trimCanary, writeCanary } from '../../functions/verify/canary.ts';
import { inspectRestored } from '../../functions/verify/inspect-restored.ts';
import { judge } from '../../functions/verify/judge.ts';
import type { SqlSession } from '../../functions/verify/ports.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
let session: SqlSession;

beforeAll(async () => {
  postgres = await startPostgres();
  session = await postgres.server.connect('postgres');
  const others = await Promise.all(Array.from({ length: 4 }, () => postgres.server.connect('postgres')));
  await Promise.all([session, ...others].map(installCanary)); // at once, on purpose
  await Promise.all(others.map((other) => other.close()));
}, 60_000);

afterAll(async () => {
  await session?.close();
  await postgres?.stop();
});

test('numbers have no gap, also with several writers and an aborted write', async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => postgres.server.connect('postgres')));
  await session.query('begin');
  await writeCanary(session, 'aborted');
  await session.query('rollback');
  await Promise.all(
    others.map(async (other) => {
      for (let count = 0; count < 10; count++) await writeCanary(other, 'canary');
      await other.close();
    }),
  );
  const state = await canaryState(session);
  expect(state).toMatchObject({ missing: 0, newest: { seq: 40 }, oldest: { seq: 1 } });
  expect(await newestCanary(session)).toEqual(state.newest);
});

test('trimming leaves no gap and never takes the newest', async () => {
  await session.query(`update codeblue.canary set written_at = written_at - interval '1 day' where seq <= 30`);
  await trimCanary(session, 3600);
  expect(await canaryState(session)).toMatchObject({ missing: 0, oldest: { seq: 31 }, newest: { seq: 40 } });
  await trimCanary(session, -3600);
  expect(await canaryState(session)).toMatchObject({ oldest: { seq: 40 }, newest: { seq: 40 } });
});

test('a point in time: sound, up to the second, and nothing claimed about equality', async () => {
  const newest = await writeCanary(session, 'canary');
  const inspection = await inspectRestored(postgres.server, {
    invariants: [],
    deadline: new Date(Date.now() + 60_000),
    clock: systemClock,
  });
  const at = (offsetSeconds: number) =>
    judge(inspection, undefined, {
      target: { kind: 'point-in-time', time: new Date(Date.parse(newest.writtenAt) + offsetSeconds * 1000), canaryPauseSeconds: 10 },
    });
  const result = (checks: ReturnType<typeof at>, id: string) => checks.find((check) => check.id === id)?.result;
  expect(result(at(3), 'window')).toBe('passed');
  expect(result(at(-5), 'window')).toBe('failed');
  expect(result(at(60), 'window')).toBe('failed');
  expect(result(at(3), 'content')).toBe('not-applicable');
  expect(result(at(3), 'identity')).toBe('passed');
});

test('databases of a server, and one that is not there', async () => {
  expect(await databaseNamesOf(postgres.server)).toEqual(['postgres']);
  await expect(databaseNamesOf(postgres.server, ['absent'])).rejects.toBeInstanceOf(NotFound);
});
