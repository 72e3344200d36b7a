import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../cli/load-config.ts';
import hms from '../../config/examples/hms.ts';

describe('a config file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'codeblue-config-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function load(name: string, content: string) {
    await writeFile(join(directory, name), content);
    return loadConfig(name, directory);
  }

  test('is found as codeblue.config.ts where the command runs, and by name', async () => {
    const content = `export default ${JSON.stringify(hms)};`;
    expect(await load('by-name.mjs', content)).toEqual(hms);
    await writeFile(join(directory, 'codeblue.config.ts'), content);
    expect(await loadConfig(undefined, directory)).toEqual(hms);
  });

  test('may be JSON', async () => {
    expect(await load('operations.json', JSON.stringify(hms))).toEqual(hms);
  });

  test('is checked even if it never called defineOperations', async () => {
    await expect(load('unchecked.mjs', `export default ${JSON.stringify({ ...hms, account: '12' })};`)).rejects.toMatchObject({
      name: 'InvalidConfig',
      problems: [{ path: 'account' }],
    });
  });

  test.each([
    ['broken.mjs', 'export default {', 'does not load'],
    ['throws.mjs', 'throw new Error("no such variable")', 'no such variable'],
    ['nothing.mjs', 'export const operations = 1;', 'exports nothing by default'],
  ])('that cannot be used is named with what is wrong: %s', async (name, content, says) => {
    await expect(load(name, content)).rejects.toMatchObject({ name: 'InvalidInput', message: expect.stringContaining(says) });
  });

  test('that is not there is named with its full path', async () => {
    await expect(loadConfig('elsewhere.ts', directory)).rejects.toThrow(`there is no config at ${join(directory, 'elsewhere.ts')}`);
  });
});
