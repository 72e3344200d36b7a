import type { z } from 'zod';
import { type ConfigProblem, formatPath, formatValue } from './invalid-config.ts';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** The parts of a zod schema that finding the keys allowed at a path needs; schemas of other kinds have none of them. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Node>>;
  readonly innerType?: Node;
  readonly element?: Node;
  readonly valueType?: Node;
  readonly options?: readonly Node[];
}
interface Node {
  readonly def: Definition;
  safeParse(value: unknown): { readonly error?: { readonly issues: readonly Issue[] } };
}

/** The objects that may stand at `path`, as lists of keys (several where the schema is a union). */
function keysAt(node: Node, path: readonly PropertyKey[]): readonly string[] {
  const { def } = node;
  if (def.innerType) return keysAt(def.innerType, path);
  if (def.options) return [...new Set(def.options.flatMap((option) => keysAt(option, path)))];
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(def.shape ?? {});
  const child = def.shape?.[String(key)] ?? def.element ?? def.valueType;
  return child ? keysAt(child, rest) : [];
}

/** The schema of the value at `path`, where the way there is unambiguous. */
function nodeAt(node: Node, path: readonly PropertyKey[]): Node | undefined {
  const { def } = node;
  if (def.innerType) return nodeAt(def.innerType, path);
  const [key, ...rest] = path;
  if (key === undefined) return node;
  const child = def.shape?.[String(key)] ?? def.element ?? def.valueType;
  return child && nodeAt(child, rest);
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value);

/** Messages that zod makes itself; ours replace them and already say what is wanted. */
const isZodsOwn = (message: string) => /^(Invalid |Too (small|big)|Unrecognized |Expected )/.test(message);

const nouns: Readonly<Record<string, string>> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list, written in [ ]',
  object: 'an object, written in { }',
  record: 'an object, written in { }',
};

const list = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join(' or ');

function wanted(issue: Issue): string {
  if (!isZodsOwn(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return nouns[issue.expected] ?? `a value of type ${issue.expected}`;
    case 'invalid_value':
      return list(issue.values);
    case 'too_small':
      return issue.origin === 'array'
        ? `at least ${issue.minimum} entry`
        : `at least ${issue.minimum}${issue.origin === 'string' ? ' character' : ''}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'invalid_format':
      return issue.format === 'email' ? 'an e-mail address' : `text of the form ${issue.format}`;
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? list(issue.options) : 'one of the forms that the schema allows';
    case 'invalid_key':
      return issue.issues.map(wanted).join('; ');
    default:
      return issue.message;
  }
}

function unknownKeys(schema: Node, config: unknown, issue: Issue & { readonly code: 'unrecognized_keys' }): ConfigProblem[] {
  const allowed = keysAt(schema, issue.path);
  return issue.keys.map((key) => {
    const meant = nearest(key, allowed);
    return {
      path: formatPath([...issue.path, key]),
      got: `an unknown key (with the value ${formatValue(valueAt(config, [...issue.path, key]))})`,
      wanted: `one of the keys ${allowed.join(', ')}`,
      change: meant ? `Write "${meant}" instead of "${key}".` : `Remove "${key}": nothing here reads it.`,
    };
  });
}

/** Of a text that is missing or no text, zod says only that; what the text must look like is learnt by trying an empty one. */
function wantedAt(schema: Node, issue: Issue): string {
  const want = wanted(issue);
  if (issue.code !== 'invalid_type' || issue.expected !== 'string') return want;
  const [first] = nodeAt(schema, issue.path)?.safeParse('').error?.issues ?? [];
  return first === undefined || (first.code === 'too_small' && isZodsOwn(first.message)) ? want : wanted({ ...first, path: issue.path });
}

/** What a schema refused, in the words of people who write configs. */
export function schemaProblems(
  schema: Node,
  config: unknown,
  issues: readonly Issue[],
  under: readonly PropertyKey[] = [],
): ConfigProblem[] {
  return issues.flatMap((relative) => {
    const issue = { ...relative, path: [...under, ...relative.path] };
    if (issue.code === 'unrecognized_keys') return unknownKeys(schema, config, issue);
    const value = valueAt(config, issue.path);
    const path = formatPath(issue.path);
    const want = wantedAt(schema, issue);
    if (issue.code === 'invalid_key') {
      return [{ path, got: `the key ${formatValue(String(issue.path.at(-1)))}`, wanted: want, change: 'Rename the key.' }];
    }
    const change =
      value === undefined ? (path === '' ? `Pass ${want}.` : `Add ${path}: ${want}.`) : `Replace ${formatValue(value)} by ${want}.`;
    return [{ path, got: formatValue(value), wanted: want, change }];
  });
}
