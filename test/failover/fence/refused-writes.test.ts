import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FENCE_TRIGGER } from '../../../functions/failover/fence/fenced-tables.ts';
import { type FencedDatabase, LONG, REFUSED, SECOND, sqlStateOf, startFencedDatabase, waitUntil } from './fenced-database.ts';

/** Every kind of table that applications have. */
const schema = `
  create table ward (id int primary key, name text);
  create table patient (id int primary key, ward int references ward on delete cascade deferrable initially deferred, note text);
  create table reading (at int, value int);
  create table measure (at int, value int) partition by range (at);
  create table measure_low partition of measure for values from (0) to (100);
  create table measure_high partition of measure for values from (100) to (200);
  create table event (id int);
  create table event_of_today () inherits (event);
  create unlogged table cache (id int primary key);
  create view open_ward as select id, name from ward;
  create function add_reading(value int) returns void language sql as 'insert into app.reading values (1, value)';
  create procedure add_and_commit(value int) language plpgsql as 'begin insert into app.reading values (2, value); commit; end';
  insert into ward values (1, 'A'), (2, 'B');
  insert into patient values (1, 1, ''), (2, 1, ''), (3, 2, '');
  insert into measure values (1, 1), (150, 1);
  insert into reading values (1, 1)`;

/** What each statement does is undone by its test: all of them begin with the rows above. */
const writes: readonly (readonly [kind: string, sql: string])[] = [
  ['INSERT', `insert into ward values (9, 'Z')`],
  ['INSERT of a query', 'insert into reading select 7, id from ward'],
  ['INSERT that finds the row and updates it', `insert into ward values (1, 'x') on conflict (id) do update set name = 'x'`],
  ['UPDATE', `update ward set name = 'x'`],
  ['DELETE', 'delete from reading'],
  ['DELETE that cascades', 'delete from ward where id = 1'],
  ['TRUNCATE', 'truncate reading'],
  ['TRUNCATE that cascades', 'truncate ward cascade'],
  [
    'MERGE',
    `merge into ward w using (values (1), (8)) n (id) on w.id = n.id when matched then update set name = 'm' when not matched then insert values (n.id, 'm')`,
  ],
  ['a writing WITH', `with gone as (delete from reading returning value) select count(*) from gone`],
  ['a function that writes', 'select add_reading(5)'],
  ['a procedure that commits', 'call add_and_commit(5)'],
  ['DO', `do $$ begin update app.ward set name = 'x'; end $$`],
  ['an updatable view', `update open_ward set name = 'x'`],
  ['a partitioned table', 'insert into measure values (5, 5)'],
  ['a partition by its own name', 'insert into measure_low values (6, 6)'],
  ['a row that moves to another partition', 'update measure set at = 160 where at = 1'],
  ['a parent table that writes to its child', 'insert into event_of_today values (1); update event set id = 2'],
  ['a table without a key', 'update reading set value = 2'],
  ['an unlogged table', 'insert into cache values (1)'],
  ['EXPLAIN ANALYZE', `explain analyze insert into ward values (9, 'Z')`],
];

let database: FencedDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await startFencedDatabase(schema, { max_prepared_transactions: '2' });
  client = await database.application();
}, 60_000);
afterAll(() => database?.stop());
beforeEach(async () => {
  await client.query('rollback');
});

const rows = async (): Promise<unknown> =>
  (
    await client.query(`select (select array_agg(w order by id) from ward w) as ward, (select array_agg(p order by id) from patient p) as patient,
    (select array_agg(r order by r) from reading r) as reading, (select array_agg(m order by at) from measure m) as measure,
    (select count(*) from event) as events, (select count(*) from cache) as cached`)
  ).rows;

async function copyIn(table: string, lines: string): Promise<void> {
  await pipeline([Buffer.from(lines)], client.query(copyFrom(`copy ${table} from stdin`)));
}

/** Each in a message of its own, as an application sends them: the server sees one text at a time. */
async function inTurn(...statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement);
}

describe('while the lease lasts', () => {
  test.each(writes)('%s is accepted', async (_, sql) => {
    await database.lease(LONG);
    // A procedure that commits can only run outside: what it added is taken away again.
    if (!sql.startsWith('call')) await client.query('begin');
    expect(await sqlStateOf(client.query(sql))).toBeUndefined();
    await client.query('rollback');
    await client.query('delete from reading where at = 2');
  });

  test('what was written is committed, and the next renewal sweeps up what the guard left', async () => {
    await database.lease(LONG);
    await client.query(`begin; insert into ward values (20, 'kept'); update ward set name = 'kept too' where id = 20; commit`);
    expect((await client.query('select name from ward where id = 20')).rows).toEqual([{ name: 'kept too' }]);
    await client.query('delete from ward where id = 20');
    await database.lease(LONG);
    expect((await client.query('select count(*)::int as left from codeblue.open_write')).rows).toEqual([{ left: 0 }]);
  });

  test('a transaction may change a table that it has written to', async () => {
    await database.lease(LONG);
    await client.query('begin');
    await client.query(`insert into reading values (3, 3); alter table reading add column unit text; update reading set unit = 'mmol/L';
      alter table reading alter column unit set not null; create index on reading (unit); truncate reading; drop table reading`);
    await client.query('rollback');
  });
});

describe('once the lease has ended', () => {
  test.each(writes)('%s is refused at the statement', async (_, sql) => {
    await database.lease(LONG);
    const before = await rows();
    await database.lease(-1);
    // In a block of its own, so that it is the statement that is refused and not the commit. A procedure that commits cannot run in one.
    if (!sql.startsWith('call')) await client.query('begin');
    expect(await sqlStateOf(client.query(sql))).toBe(REFUSED);
    await client.query('rollback');
    expect(await rows()).toEqual(before);
  });

  test('COPY is refused', async () => {
    await database.lease(-1);
    expect(await sqlStateOf(copyIn('reading', '1\t1\n'))).toBe(REFUSED);
  });

  test('a prepared statement that worked before is refused', async () => {
    await database.lease(LONG);
    const insert = { name: 'insert', text: 'insert into reading values ($1, $2)', values: [4, 4] };
    await client.query(insert);
    await database.lease(-1);
    expect(await sqlStateOf(client.query(insert))).toBe(REFUSED);
    expect((await client.query('select count(*)::int as found from reading where at = 4')).rows).toEqual([{ found: 1 }]);
  });

  test('a cursor reads on, and cannot write', async () => {
    await database.lease(LONG);
    await client.query('begin; declare wards cursor for select * from ward for update; fetch wards');
    await database.lease(-1);
    expect(await sqlStateOf(client.query('fetch wards'))).toBeUndefined();
    expect(await sqlStateOf(client.query('delete from ward where current of wards'))).toBe(REFUSED);
  });

  test('a superuser and a session that replays for replication are refused too', async () => {
    await database.lease(-1);
    const replaying = `set session_replication_role = replica; insert into app.reading values (1, 1)`;
    await expect(database.postgres.sql('postgres', replaying)).rejects.toMatchObject({ sqlState: REFUSED });
  });

  test('reading, temporary tables and transactions that write nothing go on', async () => {
    await database.lease(-1);
    await client.query(
      `begin; create temporary table scratch (id int) on commit drop; insert into scratch values (1); select * from ward; commit`,
    );
    expect(await sqlStateOf(client.query('begin isolation level repeatable read; select * from ward; commit'))).toBeUndefined();
  });

  test('the refusal names the epoch and what to do, and no data', async () => {
    const epoch = await database.lease(-1);
    const refused = client.query(`insert into ward values (77, 'secret')`);
    await expect(refused).rejects.toMatchObject({
      code: REFUSED,
      message: `write refused: the lease of this database has ended (epoch ${epoch}, last held by us-east-1)`,
      hint: expect.stringContaining('Another Region'),
    });
    await refused.catch((error: pg.DatabaseError) => expect(JSON.stringify({ ...error })).not.toContain('secret'));
  });
});

describe('written while the lease lasted, committed after it', () => {
  /** Each way to write, in a transaction that is still open when the lease ends. */
  const open: readonly (readonly [way: string, write: () => Promise<unknown>])[] = [
    ...writes.filter(([, sql]) => !/^call/.test(sql)).map(([kind, sql]) => [kind, () => client.query(sql)] as const),
    ['COPY', () => copyIn('reading', '1\t1\n')],
    ['a savepoint that is released', () => client.query('savepoint s; insert into reading values (5, 5); release s')],
    [
      'after a savepoint that was rolled back',
      () => client.query('savepoint s; insert into reading values (5, 5); rollback to s; insert into reading values (6, 6)'),
    ],
    [
      'before a savepoint that was rolled back',
      () => client.query('insert into reading values (6, 6); savepoint s; insert into reading values (5, 5); rollback to s'),
    ],
    [
      'in a block that caught an error and one that did not',
      () =>
        client.query(`do $$ begin
        begin insert into app.ward values (1, 'twice'); exception when unique_violation then null; end;
        insert into app.reading values (8, 8); end $$`),
    ],
    [
      'in a function with settings of its own',
      async () => {
        await client.query(
          `create function own_settings() returns void language sql set work_mem = '1MB' as 'insert into app.reading values (9, 9)'`,
        );
        await client.query('select own_settings()');
      },
    ],
    [
      'all constraints immediate before it',
      () => inTurn('set constraints all immediate', 'insert into reading values (1, 1)', 'insert into reading values (2, 2)'),
    ],
    ['all constraints immediate after it', () => inTurn('insert into reading values (1, 1)', 'set constraints all immediate')],
    [
      'constraints immediate and deferred again',
      () => inTurn('insert into reading values (1, 1)', 'set constraints all immediate', 'set constraints all deferred'),
    ],
    ['settings reset in between', () => client.query('insert into reading values (1, 1); reset all')],
  ];

  test.each(open)('%s', async (_, write) => {
    await database.lease(LONG);
    await client.query('delete from reading where at > 1; delete from event');
    const before = await rows();
    await client.query('begin');
    await write();
    await database.lease(-1);
    expect(await sqlStateOf(client.query('commit'))).toBe(REFUSED);
    expect(await rows()).toEqual(before);
  });

  test.each(['repeatable read', 'serializable'])('%s sees the lease as it is, not as it was', async (level) => {
    await database.lease(LONG);
    await client.query(`begin isolation level ${level}; select * from ward; insert into reading values (5, 5)`);
    await database.lease(-1);
    expect(await sqlStateOf(client.query('commit'))).toBe(REFUSED);
  });

  test('PREPARE TRANSACTION is refused as COMMIT is', async () => {
    await database.lease(LONG);
    await client.query('begin; insert into reading values (5, 5)');
    await database.lease(-1);
    expect(await sqlStateOf(client.query(`prepare transaction 'later'`))).toBe(REFUSED);
  });

  test('a lease that is renewed in time lets the commit through', async () => {
    await database.lease(SECOND * 30);
    await client.query('begin; insert into reading values (5, 5)');
    await database.lease(LONG);
    await client.query('commit');
    await client.query('delete from reading where at = 5');
  });

  test('the check runs again after work that was deferred to the commit', async () => {
    await database.lease(LONG);
    // A deferred trigger of the application that takes its time: the lease ends while it waits.
    await client.query(`create function slow() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return null; end';
      create constraint trigger slow after insert on reading deferrable initially deferred for each row execute function slow()`);
    await database.lease(LONG);
    const other = await database.application();
    await other.query('select pg_advisory_lock(1)');
    await client.query('begin; select pg_sleep(1.1); insert into reading values (5, 5)');
    const committed = sqlStateOf(client.query('commit'));
    await waitUntil(other, `exists (select from pg_locks where locktype = 'advisory' and not granted)`);
    await database.lease(-1);
    await other.query('select pg_advisory_unlock(1)');
    expect(await committed).toBe(REFUSED);
    await client.query('drop trigger slow on reading');
  });
});

test('every table of the application carries the trigger, and the application’s own statements see nothing of it', async () => {
  const { rows: triggers } = await client.query(
    `select count(*)::int as guarded from pg_trigger where tgname = $1 and tgrelid::regclass::text not like 'codeblue%'`,
    [FENCE_TRIGGER],
  );
  expect(triggers).toEqual([{ guarded: 9 }]);
});
