import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../functions/common/clock.ts';
import type { Fork } from '../../../functions/failover/failback/fork.ts';
import { lineOf } from '../../../functions/failover/failback/losing-table.ts';
import { lostWrites } from '../../../functions/failover/failback/lost-writes.ts';
import type { TableLosses } from '../../../functions/failover/failback/models.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { RandomWriter, schema } from './random-writes.ts';
import { caughtUp, cut, followerOf, generator, promote } from './support.ts';

const servers: TestPostgres[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** A primary with the schema, and its standby. */
async function pairOfServers(): Promise<{ readonly old: TestPostgres; readonly replica: TestPostgres }> {
  const old = await startPostgres({ autovacuum_naptime: '1' });
  servers.push(old);
  await old.sql('postgres', 'create database app');
  await old.sql('app', schema);
  const replica = await followerOf(old, { autovacuum_naptime: '1' });
  servers.push(replica);
  return { old, replica };
}

interface Line {
  readonly kind: string;
  readonly changedSince: boolean;
  readonly key?: Readonly<Record<string, string>>;
  readonly row: Readonly<Record<string, unknown>>;
}

async function find(old: TestPostgres, current: TestPostgres, fork: Fork) {
  const lines = new Map<string, Line[]>();
  const tables: TableLosses[] = [];
  const request = {
    ...{ old: old.server, current: current.server, databaseName: 'app', fork, clock: systemClock },
    deadline: new Date(Date.now() + 60_000),
    async keep(table: string, writes: Parameters<typeof lineOf>[0][]) {
      const text = writes.map(lineOf).join('');
      const parsed = text
        .trimEnd()
        .split('\n')
        .map((line): Line => JSON.parse(line));
      lines.set(table, [...(lines.get(table) ?? []), ...parsed]);
    },
  };
  for await (const table of lostWrites({ ...request, keep: (table, writes) => request.keep(table, [...writes]) })) tables.push(table);
  return { tables, lines };
}

/** Contents by key: what the tables say, without any transaction id. */
const keys: Readonly<Record<string, string>> = {
  'public.patient': 'id::text',
  'public.Lab Result': `concat(patient_id, '/', (extract(epoch from taken) * 1000)::int8, '/', code)`,
  'public.document': 'id::text',
};
type Contents = ReadonlyMap<string, ReadonlyMap<string, string>>;

async function contentsOf(server: TestPostgres): Promise<Contents> {
  const contents = new Map<string, Map<string, string>>();
  for (const [table, key] of Object.entries(keys)) {
    const rows = await server.sql('app', `select ${key} as key, stamp from ${table.replace('Lab Result', '"Lab Result"')}`);
    contents.set(table, new Map(rows.map((row) => [row.key ?? '', row.stamp ?? ''])));
  }
  const journal = await server.sql('app', `select who || '/' || stamp as entry from journal`);
  contents.set('public.journal', new Map(journal.map((row) => [row.entry ?? '', 'there'])));
  return contents;
}

/** What must be found, from the contents at the cut and of both sides now. */
function truth(atCut: Contents, old: Contents, current: Contents): readonly string[] {
  const expected: string[] = [];
  for (const [table, then] of atCut) {
    const [mine, theirs] = [old.get(table) ?? new Map(), current.get(table) ?? new Map()];
    for (const [key, stamp] of mine) {
      if (then.get(key) === stamp) continue;
      const here = theirs.get(key);
      expected.push(`${table} ${here === undefined ? 'inserted' : 'updated'} ${key} ${here !== undefined && here !== then.get(key)}`);
    }
    for (const [key, stamp] of then) if (!mine.has(key) && theirs.get(key) === stamp) expected.push(`${table} deleted ${key} false`);
  }
  return expected.sort();
}

function foundLines(lines: ReadonlyMap<string, readonly Line[]>): readonly string[] {
  const idOf = (table: string, { row }: Line): string => {
    if (table === 'public.Lab Result') return `${row.patient_id}/${Date.parse(String(row.taken))}/${row.code}`;
    return table === 'public.journal' ? `${row.who}/${row.stamp}` : String(row.id);
  };
  return [...lines]
    .flatMap(([table, each]) => each.map((line) => `${table} ${line.kind} ${idOf(table, line)} ${line.changedSince}`))
    .sort();
}

async function writeAtRandom(old: TestPostgres, replica: TestPostgres, seed: number) {
  const random = generator(seed);
  const lanes = 4;
  const writers = await Promise.all(
    Array.from(
      { length: lanes },
      async (_, lane) => new RandomWriter(await old.server.connect('app'), { name: `old${lane}`, lane, lanes, random }),
    ),
  );
  const work = async (steps: number): Promise<void> => {
    for (let count = 0; count < steps; count++) await writers[random(lanes)]?.step();
  };
  await work(100 + random(200));
  await Promise.all([cut(replica), work(100)]);
  await work(random(200));
  await Promise.all(writers.map((writer) => writer.finish()));
}

const seeds = Number(process.env.CODEBLUE_LOST_WRITES_SEEDS ?? 3);

describe('writes that only the old primary has', () => {
  test.each(Array.from({ length: seeds }, (_, index) => index + 1))(
    'are found exactly, whatever happens around the cut (seed %i)',
    async (seed) => {
      const { old, replica } = await pairOfServers();
      await writeAtRandom(old, replica, seed);
      const fork = await promote(replica);
      const atCut = await contentsOf(replica);
      const writer = new RandomWriter(await replica.server.connect('app'), {
        name: 'new',
        lane: 0,
        lanes: 1,
        random: generator(seed + 1000),
      });
      for (let count = 0; count < 150; count++) await writer.step();
      await writer.finish();
      for (const server of seed % 3 === 0 ? [old, replica] : []) await server.sql('app', 'vacuum (freeze)');

      const { tables, lines } = await find(old, replica, fork);

      const expected = truth(atCut, await contentsOf(old), await contentsOf(replica));
      expect(expected.length).toBeGreaterThan(50);
      expect(foundLines(lines)).toEqual(expected);
      expect(tables.filter((table) => table.incomplete !== undefined)).toEqual([]);
      const listed = (table: TableLosses) => table.inserted + table.updated + table.deleted;
      for (const table of tables) expect(listed(table)).toBe(lines.get(table.table)?.length ?? 0);
    },
  );

  test('a transaction that began before the cut and committed after it is among them', async () => {
    const { old, replica } = await pairOfServers();
    const long = await old.server.connect('app');
    await long.query('begin');
    await long.query(`update patient set name = 'lost' where id = 1`);
    await long.query(`delete from patient where id = 2`);
    await long.query('savepoint inner_part');
    await long.query(`insert into patient values (50000, 'lost', default, 'lost')`);
    await old.sql('app', `update patient set name = 'arrived' where id = 3`);
    await caughtUp(old, replica);
    await cut(replica);
    await long.query('commit');
    await long.close();
    const { lines } = await find(old, replica, await promote(replica));
    expect(foundLines(lines)).toEqual([
      'public.patient deleted 2 false',
      'public.patient inserted 50000 false',
      'public.patient updated 1 false',
    ]);
  });

  test('nothing is found where everything arrived, however much the new primary has changed', async () => {
    const { old, replica } = await pairOfServers();
    await old.sql('app', `update patient set stamp = 'arrived' where id < 100; delete from journal where who < 50`);
    await caughtUp(old, replica);
    await cut(replica);
    const fork = await promote(replica);
    await replica.sql(
      'app',
      `update patient set stamp = 'new'; delete from "Lab Result"; insert into journal values (1, 'x', 'y'); delete from twins`,
    );
    await replica.sql('app', 'vacuum full patient');
    const { tables, lines } = await find(old, replica, fork);
    expect([...lines]).toEqual([]);
    expect(tables.every(({ inserted, updated, deleted }) => inserted + updated + deleted === 0)).toBe(true);
  });

  test('rows that are alike are counted, each as often as it was', async () => {
    const { old, replica } = await pairOfServers();
    // Under way at the cut: its row must not stand in for one that is deleted afterwards.
    const long = await old.server.connect('app');
    await long.query(`begin; insert into twins values ('twin 3')`);
    await old.sql('app', `insert into twins values ('arrived')`);
    await caughtUp(old, replica);
    await cut(replica);
    await long.query('commit');
    await long.close();
    await old.sql('app', `delete from twins where ctid in (select ctid from twins where what = 'twin 3' limit 4)`);
    await old.sql('app', `insert into twins select 'twin 5' from generate_series(1, 3)`);
    const fork = await promote(replica);
    const { lines } = await find(old, replica, fork);
    const found = lines.get('public.twins')?.map(({ kind, row }) => `${kind} ${row.what}`);
    expect(found?.toSorted()).toEqual([...Array(4).fill('deleted twin 3'), 'inserted twin 3', ...Array(3).fill('inserted twin 5')]);
  });

  test('a table that was emptied, one that was dropped and one that was made are told', async () => {
    const { old, replica } = await pairOfServers();
    await caughtUp(old, replica);
    await cut(replica);
    await old.sql('app', `truncate document; drop table journal; create table made (id int primary key); insert into made values (1)`);
    const fork = await promote(replica);
    await replica.sql('app', 'create table of_the_new_primary (id int); insert into of_the_new_primary values (1)');
    const { tables, lines } = await find(old, replica, fork);
    expect(lines.get('public.document')?.length).toBe(300);
    expect(lines.get('public.made')).toMatchObject([{ kind: 'inserted', key: { id: '1' } }]);
    const told = Object.fromEntries(tables.flatMap(({ table, incomplete }) => (incomplete === undefined ? [] : [[table, incomplete]])));
    expect(told).toEqual({
      'public.document': expect.stringMatching(/rewritten/),
      'public.journal': expect.stringMatching(/dropped/),
      'public.made': expect.stringMatching(/no such table/),
    });
  });
});
