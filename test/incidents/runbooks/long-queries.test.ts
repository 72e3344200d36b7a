import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pgServer } from '../../../functions/common/pg-server.ts';
import { endLongQueries, longQueries } from '../../../functions/incidents/runbooks/long-queries.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

let postgres: TestPostgres;
const clients: pg.Client[] = [];

beforeAll(async () => {
  postgres = await startPostgres({ wal_level: 'replica', max_wal_senders: '4' });
  await postgres.sql('postgres', 'create role app login; create role reports login; create role admin login superuser');
  await postgres.sql('postgres', 'create role standby login replication; create role codeblue login; create role blind login');
  await postgres.sql('postgres', 'grant pg_read_all_stats, pg_signal_backend to codeblue; grant pg_read_all_stats to blind');
});
afterEach(async () => {
  // A backend that sleeps does not see that its client is gone.
  await postgres.sql(
    'postgres',
    `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  );
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
});
afterAll(async () => postgres.stop());

/** Somebody whose statement runs until it is ended. @returns what became of it */
async function runs(user: string, text = 'select pg_sleep(600)') {
  const client = new pg.Client({ host: '127.0.0.1', port: postgres.port, database: 'postgres', user });
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  const [row] = (await client.query<{ pid: string }>('select pg_backend_pid()::text as pid')).rows;
  const ending = client.query(text).then(
    () => 'ran to its end',
    (error: unknown) => (error instanceof pg.DatabaseError ? `${error.code}` : 'broken off'),
  );
  return { pid: row?.pid ?? '', ending };
}

const codeblue = (user = 'codeblue') => pgServer({ host: '127.0.0.1', port: postgres.port, user, password: '' }).connect('postgres');

/** Until so many sessions of others have begun their statement. */
async function settled(count: number): Promise<void> {
  for (;;) {
    const [row] = await postgres.sql(
      'postgres',
      `select count(*) as n from pg_stat_activity where query like '%pg_sleep(600)%' and state = 'active' and pid <> pg_backend_pid()`,
    );
    if (Number(row?.n) === count) return;
  }
}

describe('statements that run for too long', () => {
  it('are ended where they are the application’s, and nothing else is', async () => {
    const app = await runs('app');
    const reports = await runs('reports');
    const admin = await runs('admin');
    const standby = await runs('standby');
    const own = await runs('codeblue');
    await settled(5);
    const session = await codeblue();
    try {
      const { ended, left } = await endLongQueries(session, 0);
      expect(new Set(ended.map(({ pid }) => pid))).toEqual(new Set([app.pid, reports.pid]));
      expect(left).toEqual([]);
      expect(await Promise.all([app.ending, reports.ending])).toEqual(['57P01', '57P01']);
      await settled(3);
      for (const { pid } of [admin, standby, own]) {
        const [row] = await session.query(`select state from pg_stat_activity where pid = $1::int`, [pid]);
        expect(row?.state).toBe('active');
      }
    } finally {
      await session.close();
    }
  });

  it('are ended beyond the limit only, and idle transactions run nothing', async () => {
    const app = await runs('app');
    await runs('app', 'begin').then(({ ending }) => ending);
    await settled(1);
    const session = await codeblue();
    try {
      expect(await longQueries(session, 3600)).toEqual([]);
      expect((await longQueries(session, 0)).map(({ pid, role }) => ({ pid, role }))).toEqual([{ pid: app.pid, role: 'app' }]);
    } finally {
      await session.close();
    }
  });

  it('that this role may not end are counted as left; those that it may not see are an error', async () => {
    await runs('app');
    await settled(1);
    const blind = await codeblue('blind');
    try {
      const { ended, left } = await endLongQueries(blind, 0);
      expect({ ended, left: left.map(({ role }) => role) }).toEqual({ ended: [], left: ['app'] });
    } finally {
      await blind.close();
    }
    const unseeing = await codeblue('reports');
    try {
      await expect(longQueries(unseeing, 0)).rejects.toThrow('grant pg_read_all_stats');
    } finally {
      await unseeing.close();
    }
  });

  it('show no text of any statement', async () => {
    await runs('app', `select pg_sleep(600) where 'Ada Lovelace' is not null`);
    await settled(1);
    const session = await codeblue();
    try {
      expect(JSON.stringify(await endLongQueries(session, 0))).not.toContain('Ada');
    } finally {
      await session.close();
    }
  });
});
