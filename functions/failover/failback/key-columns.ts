import type { SqlSession } from '../../verify/ports.ts';
import { qualified, quoteIdentifier } from '../../verify/session.ts';
import type { TableShape } from '../../verify/tables.ts';

/** A column of a table's key with the SQL name of its type. */
export interface KeyColumn {
  readonly name: string;
  readonly type: string;
}

/** Key columns with their types there, in the order of the key; undefined when the table has not all of them. */
export async function keyColumnsOf(
  session: SqlSession,
  table: TableShape,
  key: readonly string[],
): Promise<readonly KeyColumn[] | undefined> {
  const rows = await session.query(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::oid and attnum > 0 and not attisdropped and attname = any ($2::text[])`,
    [table.oid, key],
  );
  const types = new Map(rows.map((row) => [row.name, row.type ?? '']));
  const columns = key.flatMap((name) => {
    const type = types.get(name);
    return type === undefined ? [] : [{ name, type }];
  });
  return columns.length === key.length ? columns : undefined;
}

const keyAlias = (index: number): string => `codeblue_key_${index + 1}`;

/** Select items: the key as text, which every type writes and reads back exactly. */
export const keyItems = (key: readonly KeyColumn[], from: string): string =>
  key.map(({ name }, index) => `${from}.${quoteIdentifier(name)}::text as ${keyAlias(index)}`).join(', ');

/** The key in a row that was read with `keyItems`. */
export const keyOf = (key: readonly KeyColumn[], row: Readonly<Record<string, string | null>>): readonly string[] =>
  key.map((_, index) => row[keyAlias(index)] ?? '');

/** `from` item of the given keys, as `given`: one array parameter per column from `$1` on, numbered in `place` from 1. */
export const givenKeys = (key: readonly KeyColumn[]): string =>
  `unnest(${key.map((_, index) => `$${index + 1}::text[]`).join(', ')}) with ordinality given (${key.map((_, index) => keyAlias(index)).join(', ')}, place)`;

/** Parameters for `givenKeys`. */
export const keyValues = (key: readonly KeyColumn[], keys: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  key.map((_, index) => keys.map((each) => each[index] ?? ''));

/** SQL: the row of `table` (as `here`) has the given key. */
export const hasGivenKey = (key: readonly KeyColumn[]): string =>
  key.map(({ name, type }, index) => `here.${quoteIdentifier(name)} = given.${keyAlias(index)}::${type}`).join(' and ');

export const here = (table: TableShape): string => `only ${qualified(table)} here`;
