import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { Operations } from '../../functions/common/operations.ts';
import { allOperations } from '../../functions/tasks.ts';
import { bundleFunctions } from '../../scripts/bundle.ts';
import { testOperations } from '../support/operations.ts';

const directory = mkdtempSync(join(tmpdir(), 'codeblue-bundle-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const contents = (of: string) =>
  readdirSync(of)
    .sort()
    .map((file) => [file, readFileSync(join(of, file), 'utf8')] as const);
const operations = testOperations();
const first = await bundleFunctions({ operations, directory: join(directory, 'first') });

test('the same input gives the same bytes', async () => {
  const second = await bundleFunctions({ operations, directory: join(directory, 'second') });
  expect(second.codeSha256).toBe(first.codeSha256);
  expect(contents(second.directory)).toEqual(contents(first.directory));
});

test('another config is not other code', async () => {
  const other = await bundleFunctions({ operations: testOperations({ name: 'other' }), directory: join(directory, 'other') });
  expect(other.codeSha256).toBe(first.codeSha256);
  expect(readFileSync(join(other.directory, 'operations.json'), 'utf8')).toContain('"other"');
});

test('the config beside the code is the whole deployment, and parses', () => {
  expect(Operations.parse(JSON.parse(readFileSync(join(first.directory, 'operations.json'), 'utf8')))).toEqual(operations);
});

const environment = { AWS_REGION: 'us-east-1', CODE_SHA256: first.codeSha256, ISOLATED_SECURITY_GROUP_ID: 'sg-0abc1234' };
const entry = pathToFileURL(join(first.directory, 'lambda.js')).href;

/** Loads the entry once per operation, as Lambda does, in a process that knows nothing but the bundle. */
function load(...operations: readonly string[]): string {
  const script = `for (const name of ${JSON.stringify(operations)}) {
    process.env.CODEBLUE_OPERATION = name;
    const { handler } = await import(${JSON.stringify(entry)} + '?' + name);
    console.log(name, typeof handler);
  }`;
  const options = { env: environment, encoding: 'utf8', stdio: 'pipe' } as const;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], options);
}

test('every operation starts from the bundle alone', () => {
  const names = allOperations.map((operation) => operation.name);
  expect(
    load(...names)
      .trim()
      .split('\n'),
  ).toEqual(names.map((name) => `${name} function`));
});

test('the lease endpoint starts from the bundle alone', () => {
  const endpoint = pathToFileURL(join(first.directory, 'lease-endpoint.js')).href;
  const script = `const { handler } = await import(${JSON.stringify(endpoint)}); console.log(typeof handler);`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env: environment, encoding: 'utf8' });
  expect(printed.trim()).toBe('function');
});

test('an operation that does not exist stops at the start, with the name', () => {
  expect(() => load('no-such-operation')).toThrow(/no-such-operation/);
});
