import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import type { SqlServer } from '../../functions/verify/ports.ts';

const run = promisify(execFile);

/** The tables of pgbench's TPC-B, all of which each transaction writes. */
export const tpcbTables = ['pgbench_accounts', 'pgbench_tellers', 'pgbench_branches', 'pgbench_history'];
const SCALE = 10;
const CONNECTIONS = 4;

/** Transactions that were committed in about so many seconds, and how long it took. */
export type SaturatingWriter = (seconds: number) => Promise<{ readonly transactions: number; readonly seconds: number }>;

/** As `pgbench -i` fills them. */
export async function fillTpcb(server: SqlServer, databaseName: string): Promise<void> {
  const session = await server.connect(databaseName);
  await session.query(`
    create table pgbench_branches (bid int primary key, bbalance int, filler char(88)) with (fillfactor = 100);
    create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
    create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
    create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    insert into pgbench_branches select i, 0, '' from generate_series(1, ${SCALE}) i;
    insert into pgbench_tellers select i, 1 + (i - 1) / 10, 0, '' from generate_series(1, ${SCALE * 10}) i;
    insert into pgbench_accounts select i, 1 + (i - 1) / 100000, 0, '' from generate_series(1, ${SCALE * 100_000}) i`);
  await session.query('vacuum analyze');
  await session.close();
}

/** pgbench itself where there is one: a client in C leaves the processor to the server. Else the same transaction over node-postgres. */
export function saturatingWriter(
  port: number,
  databaseName: string,
  pgbench: string,
): { readonly name: string; readonly write: SaturatingWriter } {
  if (spawnSync(pgbench, ['--version']).status === 0) {
    return { name: `${pgbench} -M prepared -c ${CONNECTIONS}`, write: (seconds) => runPgbench(pgbench, port, databaseName, seconds) };
  }
  return {
    name: `TPC-B over node-postgres, prepared, ${CONNECTIONS} connections`,
    write: (seconds) => runHere(port, databaseName, seconds),
  };
}

async function runPgbench(pgbench: string, port: number, databaseName: string, seconds: number): ReturnType<SaturatingWriter> {
  const options = ['-n', '-M', 'prepared', '-c', String(CONNECTIONS), '-j', '1', '-T', String(seconds)];
  const { stdout } = await run(pgbench, ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', ...options, databaseName]);
  const transactions = Number(/actually processed: (\d+)/.exec(stdout)?.[1]);
  return { transactions, seconds: transactions / Number(/tps = ([\d.]+)/.exec(stdout)?.[1]) };
}

async function runHere(port: number, databaseName: string, seconds: number): ReturnType<SaturatingWriter> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: databaseName });
      await client.connect();
      return client;
    }),
  );
  const began = performance.now();
  const until = began + seconds * 1000;
  const counts = await Promise.all(
    clients.map(async (client) => {
      let count = 0;
      for (; performance.now() < until; count++) await tpcb(client);
      return count;
    }),
  );
  const took = (performance.now() - began) / 1000;
  await Promise.all(clients.map((client) => client.end()));
  return { transactions: counts.reduce((sum, count) => sum + count, 0), seconds: took };
}

const anyOf = (count: number): number => 1 + Math.floor(Math.random() * count);

/** The built-in script `tpcb-like`, statement by statement. */
async function tpcb(client: pg.Client): Promise<void> {
  const [account, branch, teller, delta] = [anyOf(SCALE * 100_000), anyOf(SCALE), anyOf(SCALE * 10), anyOf(10_001) - 5_001];
  await client.query('begin');
  await client.query({
    name: 'account',
    text: 'update pgbench_accounts set abalance = abalance + $1 where aid = $2',
    values: [delta, account],
  });
  await client.query({ name: 'balance', text: 'select abalance from pgbench_accounts where aid = $1', values: [account] });
  await client.query({
    name: 'teller',
    text: 'update pgbench_tellers set tbalance = tbalance + $1 where tid = $2',
    values: [delta, teller],
  });
  await client.query({
    name: 'branch',
    text: 'update pgbench_branches set bbalance = bbalance + $1 where bid = $2',
    values: [delta, branch],
  });
  await client.query({
    name: 'history',
    text: 'insert into pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)',
    values: [teller, branch, account, delta],
  });
  await client.query('commit');
}
