import { InvalidInput } from '../../functions/common/errors.ts';

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Field names of a reference path: `$` has none, `$.failure.Error` has two. @throws InvalidInput for any other JSONPath */
function fieldsOf(path: string): readonly string[] {
  if (path === '$') return [];
  if (!/^\$(\.\w+)+$/.test(path)) throw new InvalidInput(`the interpreter does not know the path ${path}`);
  return path.slice(2).split('.');
}

/** What a reference path points to; undefined where nothing is. */
export function at(input: unknown, path: string): unknown {
  return fieldsOf(path).reduce<unknown>((value, field) => (isTree(value) ? value[field] : undefined), input);
}

/** The input with `value` put where the path says, as ResultPath does. */
export function withResult(input: unknown, path: string, value: unknown): unknown {
  const place = (tree: unknown, [field, ...rest]: readonly string[]): unknown =>
    field === undefined ? value : { ...(isTree(tree) ? tree : {}), [field]: place(isTree(tree) ? tree[field] : undefined, rest) };
  return place(input, fieldsOf(path));
}
