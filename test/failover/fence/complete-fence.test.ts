import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pgServer } from '../../../functions/common/pg-server.ts';
import { completeFence, gapsOfFence } from '../../../functions/failover/fence/complete-fence.ts';
import { fenceOver } from '../../../functions/failover/fence/fence-over.ts';
import { FENCE_TRIGGER } from '../../../functions/failover/fence/fenced-tables.ts';
import { keepFenceComplete } from '../../../functions/failover/fence/keep-fence-complete.ts';
import { sqlServersFrom } from '../../../functions/memory/sql-servers.ts';
import { installCanary, writeCanary } from '../../../functions/verify/canary.ts';
import { listSchema, schemaDifferences } from '../../../functions/verify/schema-objects.ts';
import { memoryWorld } from '../../support/host.ts';
import { testOperations } from '../../support/operations.ts';
import { epoch, type FencedDatabase, LONG, REFUSED, sqlStateOf, startFencedDatabase, virginia } from './fenced-database.ts';

let database: FencedDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await startFencedDatabase('create table note (id int)');
  client = await database.application();
}, 60_000);
afterAll(() => database?.stop());
beforeEach(async () => {
  await client.query('rollback');
  await database.lease(LONG);
});

const complete = () => completeFence(database.postgres.server, 'postgres');
const unfenced = async () => (await database.fence.state()).unfenced;

describe('what is not fenced is seen and fenced', () => {
  /** Each leaves one gap. */
  const gaps: readonly (readonly [what: string, sql: string, table: string])[] = [
    ['a new table', 'create table fresh (id int)', 'app.fresh'],
    ['a table with a name that must be quoted', 'create table "app"."Lab; Values" (id int)', 'app.Lab; Values'],
    ['a trigger that was dropped', `drop trigger ${FENCE_TRIGGER} on note`, 'app.note'],
    ['a trigger that was disabled', `alter table note disable trigger ${FENCE_TRIGGER}`, 'app.note'],
    [
      'all triggers switched off and on again, as pg_restore does',
      'alter table note disable trigger user; alter table note enable trigger user',
      'app.note',
    ],
    [
      'a trigger for less',
      `create or replace trigger ${FENCE_TRIGGER} before insert on note for each statement execute function codeblue.guard_write();
      alter table note enable always trigger ${FENCE_TRIGGER}`,
      'app.note',
    ],
    [
      'a trigger with a condition',
      `create or replace trigger ${FENCE_TRIGGER} before insert or update or delete or truncate on note
      for each statement when (false) execute function codeblue.guard_write(); alter table note enable always trigger ${FENCE_TRIGGER}`,
      'app.note',
    ],
  ];

  test.each(gaps)('%s', async (_, sql, table) => {
    await complete();
    await client.query(sql);
    expect(await unfenced()).toEqual([`postgres.${table}`]);
    expect(await complete()).toEqual({ fenced: [table], busy: [], forbidden: [] });
    expect(await unfenced()).toEqual([]);
    expect(await complete()).toEqual({ fenced: [], busy: [], forbidden: [] });
  });

  test('a new partition is refused through its parent at once, and by itself once fenced', async () => {
    await client.query('create table measure (at int) partition by range (at)');
    await complete();
    await client.query('create table measure_1 partition of measure for values from (0) to (10)');
    await database.lease(-1);
    expect(await sqlStateOf(client.query('insert into measure values (1)'))).toBe(REFUSED);
    expect(await sqlStateOf(client.query('insert into measure_1 values (1)'))).toBeUndefined();
    await complete();
    expect(await sqlStateOf(client.query('insert into measure_1 values (1)'))).toBe(REFUSED);
  });

  test('a fenced table can become a partition, and stop being one', async () => {
    await client.query('create table part (at int); create table whole (at int) partition by range (at)');
    await complete();
    await client.query('alter table whole attach partition part for values from (0) to (10); alter table whole detach partition part');
    expect(await unfenced()).toEqual([]);
  });

  test('a function of another version is replaced, and nothing is written past it meanwhile', async () => {
    await database.postgres.sql(
      'postgres',
      `create or replace function codeblue.guard_write() returns trigger language plpgsql as 'begin return null; end'`,
    );
    expect(await gapsOfFence(database.postgres.server, 'postgres')).toMatchObject({ lease: true });
    await complete();
    expect(await gapsOfFence(database.postgres.server, 'postgres')).toEqual({ lease: false, tables: [], forbidden: [] });
    await database.lease(-1);
    expect(await sqlStateOf(client.query('insert into note values (1)'))).toBe(REFUSED);
  });

  test('a lease that was lost is not made anew as an open one', async () => {
    await database.postgres.sql('postgres', 'alter sequence codeblue.lease_until restart');
    expect(await sqlStateOf(client.query('insert into note values (1)'))).toBe(REFUSED);
    await database.postgres.sql('postgres', `comment on schema codeblue is 'older'`);
    await complete();
    expect(await sqlStateOf(client.query('insert into note values (1)'))).toBe(REFUSED);
  });
});

describe('care for the application', () => {
  test('a table in use is left for later instead of making its writers wait', async () => {
    await client.query('create table used (id int)');
    await client.query('begin; insert into used values (1)');
    expect(await complete()).toEqual({ fenced: [], busy: ['app.used'], forbidden: [] });
    await client.query('commit');
    expect(await complete()).toEqual({ fenced: ['app.used'], busy: [], forbidden: [] });
  });

  test('the canary is fenced too, and Codeblue’s own tables are not', async () => {
    const session = await database.postgres.server.connect('postgres');
    await installCanary(session);
    expect((await complete()).fenced).toEqual(['codeblue.canary']);
    await writeCanary(session, 'canary');
    await database.lease(-1);
    await expect(writeCanary(session, 'canary')).rejects.toMatchObject({ sqlState: REFUSED });
    await session.close();
  });

  test('a table that replication feeds is told as unfenced: its writes fire no statement trigger', async () => {
    await database.postgres.sql(
      'postgres',
      `create subscription feed connection 'host=localhost dbname=none' publication p with (connect = false);
      insert into pg_subscription_rel (srsubid, srrelid, srsubstate) select oid, 'app.note'::regclass, 'r' from pg_subscription`,
    );
    expect(await unfenced()).toEqual(['postgres.app.note']);
    await database.postgres.sql('postgres', `alter subscription feed set (slot_name = none); drop subscription feed`);
    expect(await unfenced()).toEqual([]);
  });

  test('a fenced database and its copy have the same schema to the verifier', async () => {
    const session = await database.postgres.server.connect('postgres');
    const schema = await listSchema(session);
    expect(schema.filter(({ kind }) => kind === 'trigger').map(({ name }) => name)).toContain(`app.note.${FENCE_TRIGGER}`);
    expect(schemaDifferences({ schema: [...schema], schemaChanges: [] }, await listSchema(session))).toEqual([]);
    await session.close();
  });
});

describe('as the role of a deployment', () => {
  const task = (user: string) => {
    const server = pgServer({ host: '127.0.0.1', port: database.postgres.port, user, password: '' });
    const world = memoryWorld({
      operations: testOperations({ databases: testOperations().databases.map((each) => ({ ...each, databaseNames: ['deployed'] })) }),
      sqlServers: sqlServersFrom({ live: () => server }),
    });
    const run = () => world.run(keepFenceComplete, { key: 'hms', input: { databaseId: 'hms' } });
    return { world, run };
  };

  beforeAll(async () => {
    // What docs/operations.md says to grant, and nothing more.
    for (const grant of [
      'create role codeblue login bypassrls',
      'create database deployed owner app',
      'grant pg_read_all_data, pg_read_all_stats, pg_signal_backend to codeblue',
      'grant connect, create, temporary on database deployed to codeblue',
    ]) {
      await database.postgres.sql('postgres', grant);
    }
    await database.postgres.sql('deployed', 'set role app; create table note (id int); create table other (id int)');
  });

  test('without the owner’s role the task says which tables it may not fence, and fails', async () => {
    await expect(task('codeblue').run()).rejects.toMatchObject({
      name: 'FenceForbidden',
      message: expect.stringContaining('deployed.public.note, deployed.public.other'),
    });
  });

  test('with it the task fences every table, tells what it did, and does nothing the next time', async () => {
    await database.postgres.sql('postgres', 'grant app to codeblue with inherit false, set true');
    const { world, run } = task('codeblue');
    expect(await run()).toMatchObject({ ran: true, result: { fenced: ['deployed.public.note', 'deployed.public.other'], busy: [] } });
    const recorded = await world.ports.auditLog.recent(new Date(0), 10);
    expect(recorded.map(({ action, phase, resource }) => ({ action, phase, resource }))).toEqual([
      { action: 'complete-fence', phase: 'outcome', resource: 'hms/deployed' },
      { action: 'complete-fence', phase: 'intent', resource: 'hms/deployed' },
    ]);
    world.clock.advance(60);
    expect(await run()).toMatchObject({ ran: true, result: { fenced: [], busy: [] } });
    expect(await world.ports.auditLog.recent(new Date(0), 10)).toHaveLength(2);
  });

  test('it may renew, close, and end the sessions of the application that it must', async () => {
    const server = pgServer({ host: '127.0.0.1', port: database.postgres.port, user: 'codeblue', password: '' });
    const fence = await fenceOver(server, ['deployed']);
    expect(await fence.renew({ epoch: epoch(1), holder: virginia, untilMicros: (await fence.clock()) + LONG })).toBe(true);
    const writer = await database.application('deployed');
    await writer.query('begin; insert into public.note values (1)');
    await fence.close(epoch(2));
    await expect(writer.query('commit')).rejects.toThrow();
    expect(await fence.state()).toMatchObject({ open: false, closedFor: 2 });
    await fence.end();
  });
});

test('a deployment that fences nothing has no schedule for it', () => {
  const { failover, ...rest } = testOperations();
  expect(keepFenceComplete.schedules({ ...rest, failover: { ...failover, mode: 'off' } })).toEqual([]);
  expect(keepFenceComplete.schedules(testOperations()).map(({ key }) => key)).toEqual(['hms', 'billing']);
});
