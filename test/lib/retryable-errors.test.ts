import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { retryableErrorNames } from '../../lib/machines/retryable-errors.ts';

/** Names of the error classes declared in the sources, by whether trying again can help. */
function declared(retryable: boolean): readonly string[] {
  const declaration = new RegExp(
    `extends CodeblueError \\{\\s+override readonly name = '(\\w+)';\\s+(?:override )?readonly retryable = ${retryable};`,
    'g',
  );
  return globSync('functions/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(declaration)].flatMap(([, name]) => name ?? []),
  );
}

test('machines retry every error class that says trying again can help', () => {
  expect(declared(true).length).toBeGreaterThan(1);
  expect([...retryableErrorNames].sort()).toEqual([...declared(true)].sort());
});

test('and none that says it cannot', () => {
  expect(declared(false).length).toBeGreaterThan(3);
  expect(retryableErrorNames.filter((name) => declared(false).includes(name))).toEqual([]);
});
