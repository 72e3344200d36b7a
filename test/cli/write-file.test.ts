import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { writeWholeFile } from '../../cli/write-file.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'codeblue-write-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function* chunks(...all: readonly (string | Error)[]) {
  for (const each of all) {
    if (each instanceof Error) throw each;
    yield each;
  }
}
const content = () => readFile(join(directory, 'out'), 'utf8');
const write = (given: AsyncIterable<string>, replace = false) => writeWholeFile(join(directory, 'out'), given, { replace });

describe('a file that is written whole or not at all', () => {
  test('has everything, is for its owner alone, and leaves nothing beside it', async () => {
    await write(chunks('a', 'ä', '\n'));
    expect([await content(), await readdir(directory)]).toEqual(['aä\n', ['out']]);
    expect((await stat(join(directory, 'out'))).mode & 0o077).toBe(0);
  });

  test('is not there when it failed in the middle', async () => {
    await expect(write(chunks('a', new ServiceUnavailable('throttled')))).rejects.toThrow('throttled');
    expect(await readdir(directory)).toEqual([]);
  });

  test('stays as it was when replacing it failed', async () => {
    await write(chunks('first'));
    await expect(write(chunks('a', new ServiceUnavailable('throttled')), true)).rejects.toThrow('throttled');
    expect([await content(), await readdir(directory)]).toEqual(['first', ['out']]);
  });

  test('is not replaced unless that is wanted, and nothing is asked for then', async () => {
    await write(chunks('first'));
    await expect(write(chunks(new Error('it was asked for')))).rejects.toThrow('is there already');
    await write(chunks('second'), true);
    expect(await content()).toBe('second');
  });

  test('that came to be meanwhile is not replaced either', async () => {
    async function* slow() {
      yield 'mine';
      await writeFile(join(directory, 'out'), 'theirs');
    }
    await expect(write(slow())).rejects.toThrow('is there already');
    expect([await content(), await readdir(directory)]).toEqual(['theirs', ['out']]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('that is broken off by %s leaves nothing, and whoever makes it hears of it', async (signal) => {
    const script = `
      import { setImmediate } from 'node:timers/promises';
      import { interruptible } from '${new URL('../../cli/interruption.ts', import.meta.url)}';
      import { writeWholeFile } from '${new URL('../../cli/write-file.ts', import.meta.url)}';
      async function* lines() {
        try {
          for (let count = 0; ; count += 1, await setImmediate()) {
            if (count === 100) console.log('under way');
            yield 'somebody looked at a record\\n';
          }
        } finally {
          console.log('told to end');
        }
      }
      await interruptible((signal) => writeWholeFile('out', lines(), { replace: false, signal })).catch(({ name }) => console.log(name));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!said.includes('under way') && (said + text).includes('under way')) child.kill(signal);
      said += text;
    });
    const [status] = await once(child, 'close');
    expect({ said: said.split('\n').sort(), status }).toEqual({ said: ['', 'Interrupted', 'told to end', 'under way'], status: 0 });
    expect(await readdir(directory)).toEqual([]);
  });

  test('in a directory that is not there says so', async () => {
    await expect(writeWholeFile(join(directory, 'no', 'out'), chunks('a'), { replace: false })).rejects.toThrow('cannot write');
  });
});
