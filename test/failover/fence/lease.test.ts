import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Region } from '../../../functions/common/ids.ts';
import { pgServer } from '../../../functions/common/pg-server.ts';
import { fenceOver } from '../../../functions/failover/fence/fence-over.ts';
import { NEVER_LEASED_UNTIL } from '../../../functions/failover/fence/lease-objects.ts';
import type { Epoch } from '../../../functions/failover/models.ts';
import { installCanary, writeCanary } from '../../../functions/verify/canary.ts';
import { epoch, type FencedDatabase, LONG, REFUSED, sqlStateOf, startFencedDatabase, virginia, waitUntil } from './fenced-database.ts';

const oregon = Region.parse('us-west-2');

let database: FencedDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await startFencedDatabase('create table note (id int)', { max_prepared_transactions: '2' });
  await database.postgres.sql('postgres', 'create database billing');
  client = await database.application();
}, 60_000);
afterAll(() => database?.stop());
beforeEach(async () => {
  await client.query('rollback');
});

const write = (): Promise<string | undefined> => sqlStateOf(client.query('insert into note values (1)'));
const count = async (): Promise<number> => (await client.query<{ n: number }>('select count(*)::int as n from note')).rows[0]?.n ?? -1;
const next = (given: Epoch): Epoch => epoch(given + 1);

describe('before the first guardian', () => {
  test('the database is open, and says that nobody leads', async () => {
    expect(await database.fence.state()).toMatchObject({
      ...{ installed: true, epoch: 0, holder: undefined, untilMicros: NEVER_LEASED_UNTIL, open: true, closedFor: undefined },
      ...{ unfenced: [], isReplica: false },
    });
    expect(await write()).toBeUndefined();
  });

  test('each transaction removes what its guard left: nobody renews who could', async () => {
    await write();
    expect(await database.postgres.sql('postgres', 'select from codeblue.open_write')).toEqual([]);
  });

  test('its first lease ends like any other', async () => {
    const { fence } = database;
    expect(await fence.renew({ epoch: epoch(1), holder: virginia, untilMicros: await fence.clock() })).toBe(true);
    expect(await write()).toBe(REFUSED);
    expect(await fence.state()).toMatchObject({ epoch: 1, holder: virginia, open: false });
  });
});

describe('renewal', () => {
  test('of an earlier epoch is refused and changes nothing, however long it would last', async () => {
    const current = await database.lease(-1);
    const before = await database.fence.state();
    const untilMicros = (await database.fence.clock()) + LONG;
    expect(await database.fence.renew({ epoch: epoch(current - 1), holder: oregon, untilMicros })).toBe(false);
    expect({ ...(await database.fence.state()), snapshots: {} }).toEqual({ ...before, snapshots: {} });
    expect(await write()).toBe(REFUSED);
  });

  test('never shortens a lease of its own epoch: of two guardians the longer one counts', async () => {
    const current = await database.lease(LONG);
    const { untilMicros } = await database.fence.state();
    expect(await database.fence.renew({ epoch: current, holder: virginia, untilMicros: untilMicros - 1 })).toBe(true);
    expect((await database.fence.state()).untilMicros).toBe(untilMicros);
  });

  test('of a later epoch replaces what was there, also by a shorter lease', async () => {
    const current = await database.lease(LONG);
    expect(await database.fence.renew({ epoch: next(current), holder: oregon, untilMicros: 1 })).toBe(true);
    expect(await database.fence.state()).toMatchObject({ epoch: next(current), holder: oregon, untilMicros: 1, open: false });
  });

  test('takes a lease in a transaction that is rolled back for what it is: given, and durable with the next', async () => {
    await database.lease(-1);
    const [before] = await database.postgres.sql('postgres', 'select epoch from codeblue.lease');
    await database.postgres.sql(
      'postgres',
      `begin; select codeblue.renew_lease(${Number(before?.epoch) + 1}, 'us-east-1', 7, 0); rollback`,
    );
    expect(await database.fence.state()).toMatchObject({ epoch: Number(before?.epoch), untilMicros: 7 });
  });

  test('is for Codeblue alone', async () => {
    expect(await sqlStateOf(client.query(`select codeblue.renew_lease(99, 'us-east-1', 9, 0)`))).toBe('42501');
    expect(await sqlStateOf(client.query(`select codeblue.close_lease(99, 0, 'us-east-1')`))).toBe('42501');
    expect(await sqlStateOf(client.query(`select setval('codeblue.lease_until', 9)`))).toBe('42501');
  });
});

describe('closing', () => {
  test('refuses writes, keeps its epoch from every earlier one, and leaves a mark and a position', async () => {
    const current = await database.lease(LONG);
    const before = await database.fence.position();
    const position = await database.fence.close(next(current));
    expect(await write()).toBe(REFUSED);
    expect(await database.fence.renew({ epoch: current, holder: virginia, untilMicros: NEVER_LEASED_UNTIL })).toBe(false);
    expect(await database.fence.state()).toMatchObject({ open: false, holder: undefined, closedFor: next(current), epoch: next(current) });
    expect(position.transactions).toBeGreaterThan(before.transactions);
    expect(position.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  });

  test('may be repeated, and ends with a lease of its epoch or a later one', async () => {
    const closed = next(await database.lease(LONG));
    await database.fence.close(closed);
    await database.fence.close(closed);
    const untilMicros = (await database.fence.clock()) + LONG;
    expect(await database.fence.renew({ epoch: closed, holder: oregon, untilMicros })).toBe(true);
    expect(await write()).toBeUndefined();
  });

  test('that comes late, after a later epoch has begun, is refused and closes nothing', async () => {
    const current = await database.lease(LONG);
    await expect(database.fence.close(epoch(current - 1))).rejects.toMatchObject({ name: 'Conflict' });
    expect(await write()).toBeUndefined();
  });

  test('that comes late, after its own epoch has given a lease, is refused and closes nothing', async () => {
    const current = await database.lease(LONG);
    await expect(database.fence.close(current)).rejects.toMatchObject({ name: 'Conflict' });
    expect(await write()).toBeUndefined();
  });

  test('to be replaced, takes no lease of the epoch of its replacement, nor of a later one; given back, it does', async () => {
    const current = await database.lease(LONG);
    const swap = next(current);
    await database.fence.close(swap, { replaced: true, region: oregon });
    expect(await database.fence.state()).toMatchObject({ open: false, closedFor: swap, replacedIn: swap });
    const untilMicros = (await database.fence.clock()) + LONG;
    expect(await database.fence.renew({ epoch: swap, holder: oregon, untilMicros, primarySince: swap })).toBe(false);
    expect(await database.fence.renew({ epoch: next(next(swap)), holder: oregon, untilMicros, primarySince: swap })).toBe(false);
    // A guardian that means the replacement, and is led here by an old address.
    await expect(database.fence.close(next(swap), { primarySince: swap, region: oregon })).rejects.toMatchObject({ name: 'Conflict' });
    await database.fence.close(swap, { replaced: true, region: oregon });
    expect(await write()).toBe(REFUSED);
    expect(await database.fence.renew({ epoch: next(swap), holder: oregon, untilMicros, primarySince: current })).toBe(true);
    expect(await write()).toBeUndefined();
    expect(await database.fence.state()).toMatchObject({ open: true, replacedIn: undefined });
  });

  test('waits for a transaction that is past its check', async () => {
    const current = await database.lease(LONG);
    const other = await database.application();
    // Its commit is held up after the check, by a deferred trigger that stands behind it in the queue.
    await other.query(`create function wait_for_2() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(2); return null; end';
      create constraint trigger held after insert on note deferrable initially deferred for each row execute function wait_for_2()`);
    await client.query('select pg_advisory_lock(2)');
    const before = await count();
    const committed = sqlStateOf(other.query('insert into note values (1)'));
    await waitUntil(client, `exists (select from pg_locks where locktype = 'advisory' and not granted)`);
    const closing = database.fence.close(next(current));
    await waitUntil(client, `pg_sequence_last_value('codeblue.lease_until') = 0`);
    await client.query('select pg_advisory_unlock(2)');
    await closing;
    // It got through, and before the closing was reported.
    expect(await committed).toBeUndefined();
    expect(await count()).toBe(before + 1);
    await client.query('drop trigger held on note');
  });

  test('ends sessions that stay open with a write, and then nothing is left to commit', async () => {
    const current = await database.lease(LONG);
    const other = await database.application();
    const before = await count();
    await other.query('begin; insert into note values (1)');
    await database.fence.close(next(current));
    await expect(other.query('commit')).rejects.toThrow();
    expect(await count()).toBe(before);
    expect(
      await database.postgres.sql('postgres', `select from pg_stat_activity where datname = 'postgres' and backend_xid is not null`),
    ).toEqual([]);
  });

  test('leaves transactions that only read alone', async () => {
    const current = await database.lease(LONG);
    const other = await database.application();
    await other.query('begin; select * from note');
    await database.fence.close(next(current));
    expect((await other.query('select 1 as here')).rows).toEqual([{ here: 1 }]);
  });

  test('is not reported while a prepared transaction could still be committed', async () => {
    const current = await database.lease(LONG);
    await client.query(`begin; insert into note values (1); prepare transaction 'later'`);
    await expect(database.fence.close(next(current))).rejects.toThrow('1 prepared transactions can still be committed');
    expect((await database.fence.state()).closedFor ?? 0).toBeLessThan(next(current));
    await client.query(`rollback prepared 'later'`);
    await database.fence.close(next(current));
    expect((await database.fence.state()).closedFor).toBe(next(current));
  });

  test('is not reported by a role that cannot see the transactions of others', async () => {
    const current = await database.lease(LONG);
    await database.postgres.sql(
      'postgres',
      `create role blind login; grant execute on all functions in schema codeblue to blind;
      grant all on all tables in schema codeblue to blind; grant all on all sequences in schema codeblue to blind`,
    );
    const server = pgServer({ host: '127.0.0.1', port: database.postgres.port, user: 'blind', password: '' });
    const blind = await fenceOver(server, ['postgres']);
    await expect(blind.close(next(current))).rejects.toThrow('cannot be seen');
    await blind.end();
  });
});

describe('a server with several databases', () => {
  test('is renewed, closed and told of together; one without a fence is open and named', async () => {
    const current = await database.lease(-1);
    await database.postgres.sql('billing', 'create table invoice (id int)');
    const fence = await fenceOver(database.postgres.server);
    expect(await fence.state()).toMatchObject({ installed: true, open: true, unfenced: ['billing.public.invoice'] });
    expect(Object.keys((await fence.state()).snapshots)).toEqual(['billing', 'postgres']);
    expect(await fence.renew({ epoch: current, holder: virginia, untilMicros: (await fence.clock()) + LONG })).toBe(true);
    await fence.close(next(current));
    expect(await write()).toBe(REFUSED);
    await fence.end();
  });

  test('a database that is not there is said to be missing', async () => {
    await expect(fenceOver(database.postgres.server, ['nowhere'])).rejects.toMatchObject({ sqlState: '3D000' });
  });
});

test('the position tells the newest canary, and every transaction raises it', async () => {
  await database.lease(LONG);
  const session = await database.postgres.server.connect('postgres');
  await installCanary(session);
  const canary = await writeCanary(session, 'canary');
  await session.close();
  const before = await database.fence.position();
  expect(before.canary).toEqual(canary);
  await write();
  expect((await database.fence.position()).transactions).toBeGreaterThan(before.transactions);
});
