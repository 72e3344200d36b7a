/**
 * What the fence inside the database costs: on the lab's hospital writer, on a writer that saturates the processor (pgbench's TPC-B), and on bulk loads.
 * Against no fence and against other ways to build one, rounds interleaved, medians of ratios. Objectives: at most 3 % on the hospital writer, at most
 * 10 % on the saturating one.
 *
 * `node bench/fence.ts [--rounds 5] [--seconds 4] [--rows 1000000] [--pgbench <path>] [--json]`
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { listApplicationTables } from '../functions/failover/fence/fenced-tables.ts';
import { qualified } from '../functions/verify/session.ts';
import { HOSPITAL_DATABASE, loadHospital } from '../lab/hospital/generate.ts';
import { startWriter } from '../lab/hospital/writer.ts';
import { startPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { measureRounds, type Overhead, processorSeconds, type Reading } from './fence/rounds.ts';
import { fillTpcb, saturatingWriter, tpcbTables } from './fence/saturating-writer.ts';
import { fenceBy, guard, installRivals, none, perRow, product, type Variant, variants } from './fence/variants.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    rows: { type: 'string', default: '1000000' },
    pgbench: { type: 'string', default: 'pgbench' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const rows = Number(options.rows);

interface Table {
  readonly title: string;
  readonly objective?: number;
  readonly overheads: readonly Overhead[];
}

/** Durable as on RDS, but for the disk of this machine: `fsync` is off, so that what is measured is the processor. */
const postgres = await startPostgres({ shared_buffers: '256MB', max_wal_size: '4GB', wal_level: 'replica' });
process.once('SIGINT', () => void postgres.stop().then(() => process.exit(130)));
try {
  const tables = [await hospital(postgres), ...(await saturating(postgres)), ...(await bulk(postgres))];
  process.stdout.write(options.json ? `${JSON.stringify(tables, null, 2)}\n` : tables.map(textOf).join('\n'));
} finally {
  await postgres.stop();
}

interface Place {
  readonly server: TestPostgres;
  readonly databaseName: string;
  readonly tables: readonly string[];
  readonly variant: Variant;
}

/** Fences the tables in one way, runs work that counts, and takes the server's processor time over it. */
async function reading(
  { server, databaseName, tables, variant }: Place,
  work: () => Promise<{ readonly transactions: number; readonly seconds: number }>,
): Promise<Reading> {
  await fenceBy(variant, server.server, databaseName, tables);
  const stop = variant.product ? await guard(server.server, databaseName) : undefined;
  const before = processorSeconds(server.dataDirectory);
  const { transactions, seconds: took } = await work();
  const after = processorSeconds(server.dataDirectory);
  await stop?.();
  const serverMicros = before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / transactions;
  return { perSecond: transactions / took, serverMicros };
}

async function hospital(server: TestPostgres): Promise<Table> {
  const address = { host: '127.0.0.1', port: server.port, user: 'postgres', password: '' };
  await loadHospital(60_000_000)({ admin: address, owner: 'postgres', seed: 1, report: () => {} });
  const session = await server.server.connect(HOSPITAL_DATABASE);
  await installRivals(session);
  const tables = (await listApplicationTables(session)).filter(({ schema }) => schema !== 'bench').map(qualified);
  await session.close();
  let seed = 0;
  const measure = (variant: Variant): Promise<Reading> =>
    reading({ server, databaseName: HOSPITAL_DATABASE, tables, variant }, async () => {
      const began = performance.now();
      const writer = startWriter({ address: () => address, connections: 4, seed: ++seed, onAcknowledged: () => {} });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      const { acknowledged } = await writer.stop();
      return { transactions: acknowledged, seconds: (performance.now() - began) / 1000 };
    });
  return {
    title: `hospital writer at full speed, ${tables.length} tables`,
    objective: 3,
    overheads: await measureRounds([none, product], rounds, measure),
  };
}

async function saturating(server: TestPostgres): Promise<readonly Table[]> {
  await server.sql('postgres', 'create database tpcb');
  await fillTpcb(server.server, 'tpcb');
  const session = await server.server.connect('tpcb');
  await installRivals(session);
  const { name, write } = saturatingWriter(server.port, 'tpcb', options.pgbench);
  const measured: Table[] = [];
  for (const commit of ['on', 'off']) {
    await session.query(`alter database tpcb set synchronous_commit = ${commit}`);
    const overheads = await measureRounds(variants, rounds, async (variant) => {
      await session.query('truncate pgbench_history');
      await session.query('vacuum pgbench_branches, pgbench_tellers');
      return reading({ server, databaseName: 'tpcb', tables: tpcbTables, variant }, () => write(seconds));
    });
    measured.push({ title: `${name}, synchronous_commit = ${commit}`, objective: 10, overheads });
  }
  await session.close();
  return measured;
}

async function bulk(server: TestPostgres): Promise<readonly Table[]> {
  await server.sql('postgres', 'create database bulk');
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'bulk' });
  await client.connect();
  await client.query('create table loaded (id bigint primary key, at timestamptz not null, note text)');
  const session = await server.server.connect('bulk');
  await installRivals(session);
  await session.close();
  const loads: Readonly<Record<string, () => Promise<unknown>>> = {
    'INSERT of a query': () => client.query(`insert into loaded select i, now(), 'note ' || i from generate_series(1, ${rows}) i`),
    COPY: () => pipeline(Readable.from(lines(rows)), client.query(copyFrom('copy loaded from stdin'))),
  };
  const measured: Table[] = [];
  for (const [name, load] of Object.entries(loads)) {
    const overheads = await measureRounds([none, product, perRow], Math.min(rounds, 3), async (variant) => {
      await client.query('truncate loaded');
      return reading({ server, databaseName: 'bulk', tables: ['loaded'], variant }, async () => {
        const began = performance.now();
        await load();
        return { transactions: rows, seconds: (performance.now() - began) / 1000 };
      });
    });
    measured.push({ title: `bulk load, ${name}, ${rows} rows with a primary key`, overheads });
  }
  await client.end();
  return measured;
}

function* lines(count: number): Generator<string> {
  const CHUNK = 1000;
  for (let from = 1; from <= count; from += CHUNK) {
    yield Array.from(
      { length: Math.min(CHUNK, count - from + 1) },
      (_, index) => `${from + index}\t2026-11-21\tnote ${from + index}\n`,
    ).join('');
  }
}

function textOf({ title, objective, overheads }: Table): string {
  const percent = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)} %`.padStart(9);
  const lines = overheads.map(({ name, perSecond, percent: median, rounds: each, serverPercent, serverMicros }) => {
    const server =
      serverMicros === undefined || serverPercent === undefined
        ? ''
        : `${serverMicros.toFixed(1).padStart(8)} µs ${percent(serverPercent)}`;
    return `  ${name.padEnd(48)} ${perSecond.toFixed(0).padStart(8)}/s ${percent(median)} ${server}   (${each.map((round) => round.toFixed(1)).join(', ')})`;
  });
  const goal = objective === undefined ? '' : ` (objective: at most ${objective} %)`;
  return [
    `${title}${goal}`,
    `  ${''.padEnd(48)} ${'rate'.padStart(10)} ${'time'.padStart(9)} ${'server processor'.padStart(21)}   (time, by round)`,
    ...lines,
    '',
  ].join('\n');
}
