import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../functions/common/clock.ts';
import { DatabaseId, RecoveryPointId } from '../../functions/common/ids.ts';
import { contentRoot } from '../../functions/verify/content-root.ts';
import { inspectRestored } from '../../functions/verify/inspect-restored.ts';
import { judge } from '../../functions/verify/judge.ts';
import type { Manifest } from '../../functions/verify/manifest.ts';
import { openManifest } from '../../functions/verify/open-manifest.ts';
import { copyPhysically, serve, startPostgres, type TestPostgres } from '../support/postgres.ts';

/** Live database, its manifest, and a restored copy in which `app` is made anew from `pristine` for each damage. */
let live: TestPostgres;
let copy: TestPostgres;
let manifest: Manifest;

const schema = `
create type severity as enum ('low', 'high');
create table patient (id bigint generated always as identity primary key, name text not null, born date, balance numeric(10,2) not null default 0 check (balance >= 0));
create table "Visit Notes" (id bigserial primary key, patient_id bigint not null references patient, how severity, note text, at timestamptz not null default now());
create index visit_patient on "Visit Notes" (patient_id);
create table lab (patient_id bigint, value numeric(8,2), taken timestamptz);
create view frail as select * from patient where born < '1950-01-01';
insert into patient (name, born, balance) select 'name ' || i, date '1940-01-01' + i, i from generate_series(1, 2000) i;
insert into "Visit Notes" (patient_id, how, note) select 1 + i % 2000, 'low', md5(i::text) from generate_series(1, 6000) i;
insert into lab select i % 2000, i / 7.0, timestamptz '2026-01-01' + i * interval '1 minute' from generate_series(1, 3000) i`;

const within = () => new Date(Date.now() + 60_000);

beforeAll(async () => {
  live = await startPostgres();
  await live.sql('postgres', 'create database app');
  await live.sql('app', schema);
  const open = await openManifest(live.server, {
    databaseId: DatabaseId.parse('hms'),
    recoveryPointId: RecoveryPointId.parse('cb-hms-test'),
    databaseNames: ['app'],
    deadline: within(),
    clock: systemClock,
  });
  const directory = await copyPhysically(live);
  manifest = await open.complete();
  copy = await serve(directory);
  await copy.sql('postgres', 'alter database app rename to pristine');
}, 60_000);

afterAll(async () => {
  await copy?.stop();
  await live?.stop();
});

/** Ids of the checks that failed on a fresh copy after `damage`. */
async function failedAfter(damage: string, against: Manifest = manifest): Promise<readonly string[]> {
  await copy.sql('postgres', 'drop database if exists app');
  await copy.sql('postgres', 'create database app template pristine');
  if (damage) await copy.sql('app', damage);
  const inspection = await inspectRestored(copy.server, { manifest: against, invariants, deadline: within(), clock: systemClock });
  const checks = judge(inspection, against, { target: { kind: 'recovery-point' } });
  return checks.filter((check) => check.result === 'failed').map((check) => check.id);
}

const invariants = [
  {
    name: 'no-negative-balance',
    says: 'No balance is negative.',
    sql: 'select * from patient where balance < 0;',
    tables: ['public.patient'],
  },
  { name: 'absent', says: 'Nothing to ask.', sql: 'select * from nowhere', tables: ['public.nowhere'] },
];

test('a healthy copy passes every check', async () => {
  expect(await failedAfter('')).toEqual([]);
});

describe('damage is refused by the check that is meant for it', () => {
  test.each<[string, string, readonly string[]]>([
    ['a table missing', 'drop table lab', ['schema', 'rows']],
    ['rows missing', 'delete from lab where patient_id < 3', ['rows', 'content']],
    ['one row missing', 'delete from "Visit Notes" where id = 77', ['rows', 'content']],
    ['one value changed', `update patient set name = 'somebody' where id = 1234`, ['content']],
    ['a sign changed', 'update lab set value = -value where value = 3.00', ['content']],
    [
      'values of two rows exchanged',
      `update lab a set value = b.value from lab b where a.value = 1.00 and b.value = 2.00 or a.value = 2.00 and b.value = 1.00`,
      ['content'],
    ],
    [
      'columns swapped',
      'alter table lab rename value to v; alter table lab rename patient_id to value; alter table lab rename v to patient_id',
      ['schema'],
    ],
    ['a column retyped', 'alter table lab alter value type numeric(9,2)', ['schema']],
    ['an index gone', 'drop index visit_patient', ['schema']],
    ['an index marked invalid', `update pg_index set indisvalid = false where indexrelid = 'visit_patient'::regclass`, ['indexes']],
    ['a constraint gone', 'alter table patient drop constraint patient_balance_check', ['schema']],
    ['a broken foreign key', 'set session_replication_role = replica; delete from patient where id = 5', ['foreign-keys']],
    [
      'a broken CHECK',
      `set session_replication_role = replica; alter table patient drop constraint patient_balance_check; update patient set balance = -1 where id = 9;
      alter table patient add constraint patient_balance_check check (balance >= 0) not valid; update pg_constraint set convalidated = true where conname = 'patient_balance_check'`,
      ['constraints', 'invariant/no-negative-balance'],
    ],
    [
      'a broken NOT NULL',
      `alter table patient alter name drop not null; update patient set name = null where id = 9; update pg_attribute set attnotnull = true where attname = 'name' and attrelid = 'patient'::regclass`,
      ['constraints'],
    ],
    ['a sequence behind its column', `select setval('patient_id_seq', 5)`, ['sequences']],
    [
      'a sequence that lost numbers it had handed out',
      `delete from "Visit Notes" where id > 10; select setval('"Visit Notes_id_seq"', 10)`,
      ['sequences'],
    ],
    ['a routine added', 'create function intruder() returns int language sql as $$ select 1 $$', ['schema']],
    ['a grant gone astray', 'grant select on patient to public', ['schema']],
    ['row security turned on', 'alter table patient enable row level security', ['schema']],
    ['rows that cannot be read', `update pg_class set relfilenode = 999999 where relname = 'lab'`, ['content']],
    ['the canary cut', `delete from codeblue.canary`, ['window']],
    ['another database', `update codeblue.identity set nonce = gen_random_uuid()`, ['identity']],
    ['no identity', `drop schema codeblue cascade`, ['identity', 'window']],
    [
      'an empty restore',
      `drop schema public cascade; create schema public; drop schema codeblue cascade`,
      ['identity', 'window', 'schema', 'rows', 'content'],
    ],
  ])('%s', async (_, damage, expected) => {
    const allow =
      damage.includes('pg_index') || damage.includes('pg_constraint') || damage.includes('pg_attribute') || damage.includes('pg_class');
    const failed = await failedAfter(allow ? `set allow_system_table_mods = on; ${damage}` : damage);
    expect(failed).toEqual(expect.arrayContaining([...expected]));
  });

  test('the whole database missing', async () => {
    await copy.sql('postgres', 'drop database if exists app');
    const inspection = await inspectRestored(copy.server, { manifest, invariants, deadline: within(), clock: systemClock });
    const failed = judge(inspection, manifest, { target: { kind: 'recovery-point' } }).filter((check) => check.result === 'failed');
    expect(failed.map((check) => check.id)).toEqual(expect.arrayContaining(['identity', 'window', 'schema', 'rows', 'content']));
  });

  test('an older copy passed off as new', async () => {
    await live.sql('app', `update patient set name = name || '.' where id < 10`);
    const open = await openManifest(live.server, {
      databaseId: DatabaseId.parse('hms'),
      recoveryPointId: RecoveryPointId.parse('cb-hms-later'),
      databaseNames: ['app'],
      deadline: within(),
      clock: systemClock,
    });
    expect(await failedAfter('', await open.complete())).toEqual(expect.arrayContaining(['window', 'content']));
  });

  test('a newer copy passed off as the one of the manifest', async () => {
    const failed =
      await failedAfter(`insert into codeblue.canary select seq + s, clock_timestamp(), 'later' from codeblue.canary, generate_series(1, 5) s
      where seq = (select max(seq) from codeblue.canary)`);
    expect(failed).toContain('window');
  });
});

test('the content root is the same for every restore, and another after any change', async () => {
  const rootAfter = async (change: string): Promise<string | undefined> => {
    await failedAfter(change);
    return contentRoot(
      await inspectRestored(copy.server, { databaseNames: ['app'], invariants: [], deadline: within(), clock: systemClock }),
    );
  };
  const first = await rootAfter('');
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(await rootAfter('')).toBe(first);
  expect(await rootAfter(`update patient set born = born + 1 where id = 3`)).not.toBe(first);
  expect(await rootAfter('alter table lab add column extra int')).not.toBe(first);
});

test('no finding shows a value of a row', async () => {
  await failedAfter(
    `update patient set name = 'SECRET-NAME' where id = 1; alter table patient add constraint odd check (name <> 'SECRET-NAME') not valid`,
  );
  const inspection = await inspectRestored(copy.server, {
    manifest,
    invariants: [{ name: 'cast', says: 'A cast that fails.', sql: 'select name::int from patient', tables: ['public.patient'] }],
    deadline: within(),
    clock: systemClock,
  });
  const checks = judge(inspection, manifest, { target: { kind: 'recovery-point' } });
  expect(checks.find((check) => check.id === 'invariant/cast')?.result).toBe('failed');
  expect(JSON.stringify(checks.map((check) => check.findings))).not.toMatch(/SECRET|name 1\b/);
});
