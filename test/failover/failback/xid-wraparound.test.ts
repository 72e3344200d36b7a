import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../functions/common/clock.ts';
import { fullXid } from '../../../functions/failover/failback/fork.ts';
import { lostWrites } from '../../../functions/failover/failback/lost-writes.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { jumpTo } from './jump-xid.ts';
import { caughtUp, cut, followerOf, promote } from './support.ts';

const servers: TestPostgres[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const round = 1n << 32n;

/** A server that has given out more than 2^32 ids, and is about to give out those numbers again under which its oldest rows were written. */
async function wrappedServer(): Promise<TestPostgres> {
  let server = await startPostgres({ autovacuum: 'off' });
  servers.push(server);
  await server.sql('postgres', 'update pg_database set datallowconn = true');
  await server.sql('postgres', 'create database app');
  await server.sql('app', 'create table chart (id int primary key, note text)');
  const [row] = await server.sql('app', 'select pg_current_xact_id() as xid');
  for (let id = 0; id < 60; id++)
    await server.sql('app', `insert into chart select i, 'first' from generate_series(${id * 10}, ${id * 10 + 9}) i`);
  for (const xid of [1_500_000_000n, 2_900_000_000n, 4_200_000_000n, round + BigInt(row?.xid ?? '') - 5n]) {
    for (const name of ['postgres', 'template0', 'template1', 'app']) await server.sql(name, 'vacuum (freeze)');
    server = await jumpTo(server, xid);
    servers.splice(0, 1, server); // the same directory, started again
  }
  return server;
}

test('rows frozen 2^32 transactions ago are not mistaken for lost ones, whose numbers they have', { timeout: 120_000 }, async () => {
  const old = await wrappedServer();
  const replica = await followerOf(old, { autovacuum: 'off' });
  servers.push(replica);
  await caughtUp(old, replica);
  await cut(replica);
  // These get the numbers of the first thirty or so rows, and the last rows seem to come from the future.
  for (let id = 0; id < 30; id++) await old.sql('app', `update chart set note = 'lost' where id = ${id * 10}`);
  await old.sql('app', `insert into chart values (1000, 'lost')`);
  await old.sql('app', 'delete from chart where id in (5, 595)');
  const [ambiguous] = await old.sql(
    'app',
    `select count(*) as count from chart c where note = 'first' and exists (select from chart d where d.note = 'lost' and d.xmin = c.xmin)`,
  );
  expect(Number(ambiguous?.count)).toBeGreaterThan(200);

  const fork = await promote(replica);
  const found: string[] = [];
  const deadline = new Date(Date.now() + 60_000);
  const request = { old: old.server, current: replica.server, databaseName: 'app', fork, deadline, clock: systemClock };
  for await (const table of lostWrites({
    ...request,
    keep: async (_, writes) => void found.push(...writes.map(({ kind, key }) => `${kind} ${key?.id}`)),
  })) {
    expect(table).toMatchObject({ table: 'public.chart', inserted: 1, updated: 30, deleted: 2 });
  }
  const updated = Array.from({ length: 30 }, (_, index) => `updated ${index * 10}`);
  expect(found.sort()).toEqual([...updated, 'inserted 1000', 'deleted 5', 'deleted 595'].sort());
});

test.each([
  ['754', 1_000n, 754n],
  ['754', round + 1_000n, round + 754n],
  ['4294967290', round + 1_000n, 4_294_967_290n],
  ['1000', 1_000n, undefined],
  ['999', 1_000n, 999n],
  ['2', round * 3n, undefined],
  ['3', round * 3n + 3n, round * 2n + 3n],
])('the number %s before %s stands for %s', (xmin, next, full) => {
  expect(fullXid(xmin, next)).toBe(full);
});
