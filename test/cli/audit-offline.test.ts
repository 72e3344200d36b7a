import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { anEventId } from '../support/audit-world.ts';
import { auditCliWorld } from './audit-cli-world.ts';

test('the executable verifies a proof in an empty directory, with no config, no home and no credentials', async () => {
  const { run, record, sequence, keyOf, files } = auditCliWorld();
  await record({ eventId: anEventId('a') });
  await sequence();
  await run('audit', 'prove', anEventId('a'), '--out', 'a.tlog-proof');
  const directory = await mkdtemp(join(tmpdir(), 'codeblue-auditor-'));
  try {
    const proof = files.get('a.tlog-proof') ?? '';
    await writeFile(join(directory, 'a.tlog-proof'), proof);
    await writeFile(join(directory, 'changed.tlog-proof'), proof.replace('index 0', 'index 1'));
    await writeFile(join(directory, 'log.vkey'), await keyOf());
    const verify = (file: string) => {
      const words = [resolve('bin/codeblue.mjs'), 'audit', 'verify', '--bundle', file, '--key-file', 'log.vkey', '--json'];
      const { stdout, status } = spawnSync(process.execPath, words, {
        cwd: directory,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, HOME: directory },
      });
      return { status, holds: JSON.parse(stdout).holds };
    };
    expect(verify('a.tlog-proof')).toEqual({ status: 0, holds: true });
    expect(verify('changed.tlog-proof')).toEqual({ status: 1, holds: false });
    expect((await readdir(directory)).sort()).toEqual(['a.tlog-proof', 'changed.tlog-proof', 'log.vkey']);
  } finally {
    await rm(directory, { recursive: true });
  }
}, 60_000);
