import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { diskFull, LabUnavailable } from '../errors.ts';
import type { Binaries } from './binaries.ts';
import { configText, type Settings } from './config.ts';
import { freePort } from './port.ts';
import { endProcessesUnder, isAlive, killServer, signal } from './processes.ts';
import type { ServerUser } from './server-user.ts';

/** The programs and the account that run them. */
export interface Runtime {
  readonly binaries: Binaries;
  readonly user: ServerUser | undefined;
}

export type ServerStatus = 'stopped' | 'starting' | 'ready';

/** What may connect from where. Nothing but passwords over loopback. */
export const nodeAccess = 'host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n';
export const restoredAccess = 'host all postgres 127.0.0.1/32 scram-sha-256\n';

/** Makes a directory that the servers may use and others may not read. */
export async function makeServerDirectory(path: string, { user }: Runtime): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  if (user) await chown(path, user.uid, user.gid);
}

const POLL_MS = 10;
const BIND_ATTEMPTS = 5;

/**
 * One PostgreSQL server on this machine. All it knows is where its data lies, so that a second process may hold the same
 * server; whether it runs is read from its `postmaster.pid`.
 */
export class PostgresServer {
  readonly runtime: Runtime;
  readonly dataDir: string;
  readonly logFile: string;

  constructor(runtime: Runtime, dataDir: string, logFile: string) {
    this.runtime = runtime;
    this.dataDir = dataDir;
    this.logFile = logFile;
  }

  /** Makes an empty cluster with checksums, whose superuser is `postgres`. @throws LabUnavailable */
  async initialize(password: string): Promise<void> {
    const passwordFile = `${this.dataDir}.password`;
    await makeServerDirectory(this.dataDir, this.runtime);
    try {
      await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
      await this.#own(passwordFile);
      const words = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--data-checksums'];
      const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync', '--wal-segsize=1'];
      const output = await this.#run(this.runtime.binaries.initdb, [`--pgdata=${this.dataDir}`, ...words, ...locale]);
      if (output.code !== 0) throw this.#failure('PostgreSQL could not make a database cluster', output.stderr);
    } finally {
      await rm(passwordFile, { force: true });
    }
  }

  /** Writes the server's whole configuration, replacing what was there. */
  configure(settings: Settings, access: string): void {
    rmSync(join(this.dataDir, 'postgresql.auto.conf'), { force: true });
    writeFileSync(join(this.dataDir, 'postgresql.conf'), configText(settings), { mode: 0o644 });
    writeFileSync(join(this.dataDir, 'pg_ident.conf'), '', { mode: 0o644 });
    this.allow(access);
  }

  /** Who may connect, from the next start or reload on. */
  allow(access: string): void {
    writeFileSync(join(this.dataDir, 'pg_hba.conf'), access, { mode: 0o644 });
  }

  /** Who may connect now, as `allow` takes it. */
  access(): string {
    return readFileSync(join(this.dataDir, 'pg_hba.conf'), 'utf8');
  }

  /**
   * Starts it and waits until it answers queries.
   * @param port  a free one is taken when left out
   * @param patienceMs  how long recovery may take
   * @throws LabUnavailable with PostgreSQL's reason
   */
  async start(port?: number, patienceMs = 600_000): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const chosen = port ?? (await freePort());
      const problem = await this.#startOn(chosen, patienceMs);
      if (problem === undefined) return chosen;
      const taken = /could not bind|Address already in use/.test(problem);
      if (taken && port === undefined && attempt < BIND_ATTEMPTS) continue;
      if (taken) {
        throw new LabUnavailable(`port ${chosen} of 127.0.0.1 is in use by another program`, {
          hint: 'End that program, or start the lab anew: it looks for free ports.',
        });
      }
      throw this.#failure('PostgreSQL did not start', problem);
    }
  }

  /** @returns undefined when it answers, else the log lines that say why not */
  async #startOn(port: number, patienceMs: number): Promise<string | undefined> {
    const log = openSync(this.logFile, 'a');
    const before = this.#log().length;
    const child = this.#spawn(this.runtime.binaries.postgres, ['-D', this.dataDir, '-p', String(port)], ['ignore', 'ignore', log]);
    closeSync(log);
    const ended = new Promise<Error | undefined>((resolve) => {
      child.once('error', resolve);
      child.once('exit', () => resolve(undefined));
    });
    let hasEnded: { readonly error: Error | undefined } | undefined;
    void ended.then((error) => {
      hasEnded = { error };
    });
    const giveUpAt = performance.now() + patienceMs;
    while (!hasEnded) {
      // The file of a server that was killed is still there: only the one that names our process counts.
      if (this.#pid() === child.pid && this.status() === 'ready') {
        child.unref();
        return undefined;
      }
      if (performance.now() > giveUpAt) {
        endProcessesUnder(this.dataDir);
        return `it was not ready after ${Math.round(patienceMs / 1000)} s`;
      }
      await wait(POLL_MS);
    }
    return hasEnded.error?.message ?? this.#log().slice(before);
  }

  /** From `postmaster.pid`, whose eighth line is the status (see "postmaster.pid" in PostgreSQL's miscadmin.h). */
  status(): ServerStatus {
    const [pid, , , , , , , status] = this.#pidFile();
    if (pid === undefined || !isAlive(Math.abs(Number(pid)))) return 'stopped';
    return status?.trim() === 'ready' ? 'ready' : 'starting';
  }

  /** Where it listens, from the fourth line of the same file; undefined when it does not run. */
  port(): number | undefined {
    const port = Number(this.#pidFile()[3]);
    return this.status() !== 'stopped' && port > 0 ? port : undefined;
  }

  /** Disconnects everybody, writes everything out and ends. Nothing happens when it does not run. */
  async stop(): Promise<void> {
    const pid = this.#pid();
    if (pid === undefined) return;
    signal(pid, 'SIGCONT');
    signal(pid, 'SIGINT');
    const giveUpAt = performance.now() + 30_000;
    while (isAlive(pid) && performance.now() < giveUpAt) await wait(POLL_MS);
    endProcessesUnder(this.dataDir);
  }

  /** As a power cut would: every process of the server ends in the middle of what it did. */
  kill(): void {
    killServer(this.dataDir);
  }

  /** Ends whatever runs on its data directory, recovery included, without waiting for anybody. */
  async endNow(): Promise<void> {
    const pid = this.#pid();
    if (pid !== undefined) {
      signal(pid, 'SIGCONT');
      signal(pid, 'SIGQUIT');
      const giveUpAt = performance.now() + 5_000;
      while (isAlive(pid) && performance.now() < giveUpAt) await wait(POLL_MS);
    }
    killServer(this.dataDir);
  }

  /**
   * Runs statements (one a line) on the stopped cluster, without a server that anybody could reach. Recovery from a backup
   * happens first. @throws LabUnavailable with PostgreSQL's reason when recovery or a statement fails
   */
  async runOffline(statements: readonly string[]): Promise<void> {
    const input = `${statements.join('\n')}\n`;
    const output = await this.#run(this.runtime.binaries.postgres, ['--single', '-D', this.dataDir, 'template1'], input);
    writeFileSync(this.logFile, output.stderr, { flag: 'a', mode: 0o600 });
    if (output.code !== 0 || /^.*\b(ERROR|FATAL|PANIC):/m.test(output.stderr))
      throw this.#failure('PostgreSQL could not recover the copy', output.stderr);
  }

  async #own(path: string): Promise<void> {
    const { user } = this.runtime;
    if (user) await chown(path, user.uid, user.gid);
  }

  #pidFile(): readonly string[] {
    try {
      return readFileSync(join(this.dataDir, 'postmaster.pid'), 'utf8').split('\n');
    } catch {
      return [];
    }
  }

  #pid(): number | undefined {
    const pid = Number(this.#pidFile()[0]);
    return pid > 0 && isAlive(pid) ? pid : undefined;
  }

  #log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  #spawn(program: string, words: readonly string[], stdio: ('ignore' | 'pipe' | number)[]): ChildProcess {
    return spawn(program, words, {
      ...this.runtime.user,
      // Settings of the caller's own PostgreSQL (PGDATA, PGPORT, PGOPTIONS) must not reach it.
      env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: 'C', TZ: 'UTC' },
      cwd: parse(this.dataDir).root,
      stdio,
      // Not in the terminal's group: Ctrl-C goes to the lab alone, which ends the servers in order.
      detached: true,
      windowsHide: true,
    });
  }

  #run(program: string, words: readonly string[], input = ''): Promise<{ readonly code: number | null; readonly stderr: string }> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(program, words, ['pipe', 'ignore', 'pipe']);
      let stderr = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        stderr += chunk.toString('utf8');
      });
      child.stdin?.on('error', () => {});
      child.once('error', (error) => reject(new LabUnavailable(`${program} cannot be run: ${error.message}`, { cause: error })));
      child.once('close', (code) => resolve({ code, stderr }));
      child.stdin?.end(input);
    });
  }

  #failure(what: string, log: string): LabUnavailable {
    if (/No space left on device|Disk quota exceeded/.test(log)) return diskFull(dirname(this.dataDir));
    const lines = log.split('\n').filter((line) => line.trim() !== '');
    const line = lines.findLast((text) => /\b(FATAL|PANIC|ERROR):|^initdb: error/.test(text)) ?? lines.at(-1) ?? 'it ended without a word';
    return new LabUnavailable(`${what}: ${line.replace(/^.*?\b(FATAL|PANIC|ERROR):\s*|^initdb: error:\s*/, '')}`, {
      hint: 'Start the lab anew; if it happens again, check memory, disk and the limits of this account.',
    });
  }
}
