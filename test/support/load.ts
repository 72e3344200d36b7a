import { SqlFailed } from '../../functions/common/sql-failed.ts';
import type { SqlServer, SqlSession } from '../../functions/verify/ports.ts';

/** A writer under load that uses everything that makes row versions hard to follow: savepoints, foreign key locks, rollbacks, deletes, upserts. */
export interface Load {
  /** Statements so far. */
  readonly count: () => number;
  stop(): Promise<void>;
}

export const loadSchema = `
create table patient (id bigint generated always as identity primary key, name text not null, balance numeric(10,2) not null default 0, updated timestamptz default now());
create table visit (id bigserial primary key, patient_id bigint not null references patient, note text, at timestamptz default clock_timestamp());
create table log (patient_id bigint, what text);
create table counter (name text primary key, value bigint not null);
insert into patient (name) select 'p' || i from generate_series(1, 3000) i;
insert into visit (patient_id, note) select 1 + i % 3000, md5(i::text) from generate_series(1, 10000) i;
insert into log select i % 10, 'x' from generate_series(1, 1000) i`;

export function startLoad(server: SqlServer, databaseName: string, sessions: number, seed: number): Load {
  let stopped = false;
  let count = 0;
  const writers = Array.from({ length: sessions }, async (_, index) => {
    const session = await server.connect(databaseName);
    const random = generator(seed * 1000 + index);
    while (!stopped) {
      await tolerant(session, () => step(session, random));
      count++;
    }
    await session.close();
  });
  return {
    count: () => count,
    async stop() {
      stopped = true;
      await Promise.all(writers);
    },
  };
}

/** Deadlocks are part of the load. */
async function tolerant(session: SqlSession, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SqlFailed) || !['40P01', '23503'].includes(error.sqlState)) throw error;
    await session.query('rollback');
  }
}

async function step(session: SqlSession, random: (below: number) => number): Promise<unknown> {
  const patient = 1 + random(3000);
  switch (random(8)) {
    case 0:
      return session.query('insert into patient (name) values ($1)', [`n${patient}`]);
    case 1:
      return session.query('update patient set balance = balance + 1 where id = $1', [patient]);
    case 2:
      return session.query('insert into visit (patient_id, note) values ($1, $2)', [patient, `v${patient}`]);
    case 3:
      return session.query('delete from visit where id = (select id from visit where id > $1 order by id limit 1)', [patient * 3]);
    case 4:
      return nested(session, random);
    case 5:
      return session.query('insert into log values ($1, $2)', [patient % 10, 'x']);
    case 6:
      return session.query('update log set patient_id = patient_id + 1 where ctid = (select ctid from log where patient_id = $1 limit 1)', [
        patient % 10,
      ]);
    default:
      return session.query('insert into counter values ($1, 1) on conflict (name) do update set value = counter.value + 1', [
        `c${patient % 40}`,
      ]);
  }
}

/** Several sessions lock and update the same few patients: multixacts. */
async function nested(session: SqlSession, random: (below: number) => number): Promise<void> {
  const patient = 1 + random(20);
  await session.query('begin');
  await session.query('insert into visit (patient_id, note) values ($1, $2)', [patient, 'outer']);
  await session.query('savepoint inner_part');
  await session.query('update patient set updated = clock_timestamp() where id = $1', [patient]);
  await session.query('update visit set note = $1 where id = $2', ['inner', 1 + random(10_000)]);
  await session.query(random(2) ? 'rollback to inner_part' : 'release inner_part');
  await session.query('insert into visit (patient_id, note) values ($1, $2)', [1 + random(20), 'after']);
  await session.query(random(5) ? 'commit' : 'rollback');
}

/** Small linear congruential generator: the same seed gives the same work. */
function generator(seed: number): (below: number) => number {
  let state = seed % 2_147_483_647 || 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
