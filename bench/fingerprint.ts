/**
 * Content fingerprint of a hospital database against the limits on both sides: `pg_dump | sha256sum`, which is what one would otherwise do,
 * and a parallel count(*), which is what reading costs. All in one run, rounds interleaved, medians.
 *
 * `node bench/fingerprint.ts [--size 1GB] [--rounds 3] [--workers 2] [--pg-dump <path>] [--json]`
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { scanCopy } from '../functions/verify/copy-scan.ts';
import type { SqlSession } from '../functions/verify/ports.ts';
import { hashFunctionsOf } from '../functions/verify/row-hash.ts';
import { chunksOf, eachOn } from '../functions/verify/scan.ts';
import { openSession, qualified } from '../functions/verify/session.ts';
import { listTables, type TableShape } from '../functions/verify/tables.ts';
import { noRows } from '../functions/verify/totals.ts';
import { HOSPITAL_DATABASE, loadHospital } from '../lab/hospital/generate.ts';
import { startPostgres } from '../test/support/postgres.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '1GB' },
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    'pg-dump': { type: 'string', default: 'pg_dump' },
    json: { type: 'boolean', default: false },
  },
});
const workers = Number(options.workers);
const rounds = Number(options.rounds);

function bytesOf(text: string): number {
  const [, amount, unit = ''] = /^([\d.]+)\s*(GB|MB)?$/i.exec(text) ?? [];
  if (amount === undefined) throw new Error(`--size ${text}: a size such as 1GB or 200MB`);
  return Number(amount) * (unit.toUpperCase() === 'GB' ? 1e9 : unit.toUpperCase() === 'MB' ? 1e6 : 1);
}

/** PostgreSQL's own defaults for memory: a restored copy of the smallest class has no more. */
const server = await startPostgres({
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
  maintenance_work_mem: '128MB',
});
const address = { host: '127.0.0.1', port: server.port, user: 'postgres', password: '' };
process.once('SIGINT', () => void server.stop().then(() => process.exit(130)));

interface Measurement {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  readonly seconds: number[];
}

try {
  await loadHospital(bytesOf(options.size))({ admin: address, owner: 'postgres', seed: 1, report: () => {} });
  const sessions = await Promise.all(
    Array.from({ length: workers }, () => openSession(server.server, HOSPITAL_DATABASE, { statementSeconds: 600, lockSeconds: 2 })),
  );
  const [first] = sessions;
  if (!first) throw new Error('no worker');
  const tables = await listTables(first);
  const functions = await hashFunctionsOf(first);
  const dump = rivalDump(tables);
  const measurements: Measurement[] = [
    { name: `count(*), ${workers} sessions`, run: () => countAll(sessions, tables), seconds: [] },
    { name: `fingerprint, ${workers} sessions`, run: () => scanCopy({ tables, sessions, functions, manifest: undefined }), seconds: [] },
    { name: dump.name, run: dump.run, seconds: [] },
  ];
  for (const { run } of measurements) await run(); // warm: hint bits, file cache, catalogs
  for (let round = 0; round < rounds; round++) {
    for (const measurement of measurements) {
      const start = performance.now();
      await measurement.run();
      measurement.seconds.push((performance.now() - start) / 1000);
    }
  }
  const totals = await scanCopy({ tables, sessions, functions, manifest: undefined });
  const rows = totals.reduce((sum, table) => sum + Number(table.total.count), Number(noRows.count));
  const [size] = await first.query('select pg_database_size(current_database()) as bytes');
  await Promise.all(sessions.map((session) => session.close()));
  report(measurements, rows, tables.length, Number(size?.bytes ?? 0));
} finally {
  await server.stop();
}

/** Reads the same chunks and does nothing with them. */
async function countAll(sessions: readonly SqlSession[], tables: readonly TableShape[]): Promise<void> {
  await eachOn(sessions, chunksOf(tables), async ({ table, fromBlock, toBlock }, session) => {
    const end = toBlock === undefined ? '' : ` and ctid < '(${toBlock},0)'::tid`;
    await session.query(`select count(*) from only ${qualified(table)} where ctid >= '(${fromBlock},0)'::tid${end}`);
  });
}

/** pg_dump where there is one that speaks to this server (it refuses servers newer than itself); else COPY of every table, named as such. */
function rivalDump(tables: readonly TableShape[]): { name: string; run: () => Promise<unknown> } {
  const connection = ['-h', address.host, '-p', String(address.port), '-U', address.user];
  const probe = spawnSync(options['pg-dump'], [...connection, '--schema-only', HOSPITAL_DATABASE], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (probe.status === 0) {
    return {
      name: 'pg_dump | sha256sum',
      run: () =>
        new Promise((resolve, reject) => {
          const command = `"$0" ${connection.join(' ')} ${HOSPITAL_DATABASE} | sha256sum`;
          const child = spawn('sh', ['-c', command, options['pg-dump']], { stdio: ['ignore', 'ignore', 'inherit'] });
          child.once('error', reject);
          child.once('exit', resolve);
        }),
    };
  }
  process.stderr.write(
    `no pg_dump for PostgreSQL 18 here (${(probe.stderr || probe.error?.message || '').trim().split('\n')[0]}): COPY stands in for it\n`,
  );
  return { name: 'COPY of every table | sha256 (one session)', run: () => copyAll(tables) };
}

async function copyAll(tables: readonly TableShape[]): Promise<void> {
  const client = new pg.Client({ ...address, database: HOSPITAL_DATABASE });
  await client.connect();
  try {
    const hash = createHash('sha256');
    for (const table of tables) for await (const chunk of client.query(copyTo(`COPY ${qualified(table)} TO STDOUT`))) hash.update(chunk);
  } finally {
    await client.end();
  }
}

function report(measurements: readonly Measurement[], rows: number, tables: number, bytes: number): void {
  const median = (seconds: readonly number[]): number => [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
  const [count, fingerprint, dump] = measurements.map(({ seconds }) => median(seconds));
  const result = {
    bytes,
    rows,
    tables,
    workers,
    rounds,
    seconds: Object.fromEntries(measurements.map(({ name, seconds }) => [name, Number(median(seconds).toFixed(3))])),
    timesFasterThanDump: Number(((dump ?? Number.NaN) / (fingerprint ?? Number.NaN)).toFixed(2)),
    timesTheReadingLimit: Number(((fingerprint ?? Number.NaN) / (count ?? Number.NaN)).toFixed(2)),
    verifierMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const lines = measurements.map(
    ({ name, seconds }) =>
      `${name.padEnd(44)} ${median(seconds).toFixed(2).padStart(7)} s   (${seconds.map((each) => each.toFixed(2)).join(', ')})`,
  );
  process.stdout.write(
    [
      `${(bytes / 1e9).toFixed(2)} GB, ${(rows / 1e6).toFixed(2)} million rows, ${tables} tables, ${rounds} rounds`,
      ...lines,
      `fingerprint: ${result.timesFasterThanDump} times faster than ${measurements[2]?.name} (objective: at least 2.5 against pg_dump)`,
      `fingerprint: ${result.timesTheReadingLimit} times the reading limit (objective: at most 7)`,
      `memory of this process: ${result.verifierMegabytes} MB (objective: below 150)`,
      '',
    ].join('\n'),
  );
}
