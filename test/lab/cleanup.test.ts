import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLabDir, findRunningLab, runningLabs } from '../../lab/lab-dir.ts';
import { isAlive, processesUnder } from '../../lab/postgres/processes.ts';
import { replicationLag } from '../../lab/postgres/standby.ts';
import { attachRegions } from '../../lab/regions.ts';
import { removeDir, temporaryDir } from './support/labs.ts';

let base: string;
let labs: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  base = temporaryDir();
  labs = join(base, 'labs');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  removeDir(base);
});

interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<number | null>;
  /** Resolves when a line begins like this. */
  readonly says: (start: string) => Promise<string>;
  readonly complaint: () => string;
}

function startChild(then: string, options: { readonly user?: { readonly uid: number; readonly gid: number } } = {}): Child {
  const script = new URL('./support/child-lab.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, labs, then], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
    cwd: '/',
    ...options.user,
  });
  children.push(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  let complaint = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  const ended = once(child, 'close').then(([code]) => {
    wake();
    return typeof code === 'number' ? code : null;
  });
  const says = (start: string) =>
    new Promise<string>((resolve, reject) => {
      const check = (): void => {
        const found = lines.find((line) => line.startsWith(start));
        if (found === undefined && child.exitCode === null && child.signalCode === null) return;
        waiting.delete(check);
        if (found === undefined) reject(new Error(`it ended before it said "${start}": ${complaint}`));
        else resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { process: child, lines, ended, says, complaint: () => complaint };
}

const filesLeft = (): readonly string[] => (existsSync(labs) ? readdirSync(labs) : []);
const nothingLeft = (): boolean => filesLeft().length === 0 && processesUnder(labs).length === 0;

describe('nothing of a lab outlives it', () => {
  test('stopped in order', async () => {
    const child = startChild('stop');
    expect(await child.ended).toBe(0);
    expect(child.lines.at(-1)).toBe('stopped');
    expect(nothingLeft()).toBe(true);
  });

  test.each([
    ['during initdb', 'starting PostgreSQL'],
    ['while data is loaded', 'loading'],
    ['while it is copied', 'copying'],
    ['when it runs', 'running'],
  ])('Ctrl-C %s, pressed three times', async (_, stage) => {
    const child = startChild('stay');
    await child.says(stage);
    for (let i = 0; i < 3; i++) child.process.kill('SIGINT');
    expect(await child.ended).toBe(130);
    expect(nothingLeft()).toBe(true);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s', async (signal, code) => {
    const child = startChild('stay');
    await child.says('loading');
    child.process.kill(signal);
    expect(await child.ended).toBe(code);
    expect(nothingLeft()).toBe(true);
  });

  test.each([
    ['an error that nobody catches', 'throw', 1],
    ['an exit in the middle', 'exit', 7],
  ])('%s', async (_, then, code) => {
    expect(await startChild(then).ended).toBe(code);
    expect(nothingLeft()).toBe(true);
  });

  test.each([
    ['during initdb', 'starting PostgreSQL'],
    ['when it runs', 'running'],
  ])('kill -9 %s: the reaper does it', async (_, stage) => {
    const child = startChild('stay');
    await child.says(stage);
    child.process.kill('SIGKILL');
    await child.ended;
    await expect.poll(nothingLeft, { timeout: 20_000 }).toBe(true);
  });
});

describe('labs beside each other', () => {
  test('two at once: each has its own servers, and the newest is found', async () => {
    const first = startChild('stay');
    await first.says('running');
    const second = startChild('stay');
    const dir = (await second.says('running')).replace('running in ', '');
    expect(findRunningLab(labs)).toBe(dir);
    expect(runningLabs(labs)).toHaveLength(2);
    expect(filesLeft()).toHaveLength(2);

    const regions = attachRegions(dir);
    const primary = regions.address(regions.primary, 'admin');
    for (const standby of ['us_west_2', 'eu_west_1'])
      await expect.poll(() => replicationLag(primary, standby), { timeout: 20_000 }).toMatchObject({ bytes: 0 });
    second.process.kill('SIGINT');
    await second.ended;
    expect(filesLeft()).toHaveLength(1);
    expect(processesUnder(labs).length).toBeGreaterThan(0);
    expect(() => attachRegions(dir)).toThrow(
      expect.objectContaining({ name: 'LabUnavailable', hint: 'Start one that stays: npm run lab -- --keep' }),
    );
    first.process.kill('SIGINT');
    await first.ended;
    expect(nothingLeft()).toBe(true);
  });

  test('what a dead process left behind is not found, and removed by the next', () => {
    const dir = createLabDir(labs);
    writeFileSync(join(dir, 'owner.pid'), String(2 ** 30));
    expect(isAlive(2 ** 30)).toBe(false);
    expect(findRunningLab(labs)).toBeUndefined();
    const next = createLabDir(labs);
    expect(filesLeft()).toEqual([next.slice(labs.length + 1)]);
  });
});

describe('what is in the way is said in one sentence', () => {
  test('a directory whose parent is missing', () => {
    expect(() => createLabDir(join(base, 'absent', 'labs'))).toThrow(
      expect.objectContaining({ name: 'LabUnavailable', message: expect.stringMatching(/is not there/) }),
    );
  });

  test('a directory that may not be written to', () => {
    writeFileSync(join(base, 'file'), '');
    expect(() => createLabDir(join(base, 'file', 'labs'))).toThrow(
      expect.objectContaining({ name: 'LabUnavailable', hint: expect.stringMatching(/TMPDIR/) }),
    );
  });
});

/** Root lends PostgreSQL another account; an ordinary user runs it as themselves. Root can try both. */
const otherUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

test('an ordinary user can run a lab', async () => {
  mkdirSync(labs);
  if (otherUser) chownSync(labs, otherUser.uid, otherUser.gid);
  const child = startChild('stop', otherUser ? { user: otherUser } : {});
  expect(await child.ended, child.complaint()).toBe(0);
  expect(nothingLeft()).toBe(true);
});
