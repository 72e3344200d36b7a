import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

  test('in a directory that is not there says so', async () => {
    await expect(writeWholeFile(join(directory, 'no', 'out'), chunks('a'), { replace: false })).rejects.toThrow('cannot write');
  });
});
