import { createHash } from 'node:crypto';
import type { SqlSession } from './ports.ts';
import { quoteIdentifier } from './session.ts';
import type { Column, TableShape } from './tables.ts';

/**
 * SQL for two 64-bit hashes of a row, and one of its key.
 *
 * `hash_record_extended` is not enough, though it looks made for this. Measured on PostgreSQL 18:
 * - it adds up its columns (31 * sum + hash), so the sum over rows does not change when two rows exchange a value: the results of
 *   two patients swapped go unseen, under every seed at once;
 * - bigint and the time types are folded to 32 bits before the seed comes in: 1 and 2^32 are equal under every seed;
 * - numeric ignores sign and scale: 5 and -5 are equal; so do text-like types under a nondeterministic collation or citext.
 *
 * Here each column is hashed by a function that takes every bit of it, under a seed of its own; the column hashes are XORed and
 * mixed once more, which is not linear, so that sums over rows do not see through it. The hash is PostgreSQL's own (Jenkins'
 * lookup3, 64 of 96 bits of state): against accidents, not against somebody who computes collisions.
 */
export interface RowHash {
  /** Forms that both hashes read, as select items: worked out once per row in the scan below them. */
  readonly forms: readonly string[];
  readonly h1: string;
  readonly h2: string;
  /** Hash of the key columns; `null::bigint` without a key. */
  readonly key: string;
}

/** Hash functions that came with PostgreSQL 18; before it, their types take a longer way. */
export interface HashFunctions {
  readonly bytea: boolean;
  readonly bool: boolean;
  readonly date: boolean;
  /** The database stores UTF-8, as the session speaks it: binary forms that hold text need no conversion, which could fail. */
  readonly utf8: boolean;
}

export async function hashFunctionsOf(session: SqlSession): Promise<HashFunctions> {
  const [row] = await session.query(`
    select to_regprocedure('pg_catalog.hashbyteaextended(bytea, bigint)') is not null as bytea,
      to_regprocedure('pg_catalog.hashboolextended(boolean, bigint)') is not null as bool,
      to_regprocedure('pg_catalog.hashdateextended(date, bigint)') is not null as date,
      current_setting('server_encoding') = 'UTF8' as utf8`);
  return { bytea: row?.bytea === 't', bool: row?.bool === 't', date: row?.date === 't', utf8: row?.utf8 === 't' };
}

export function rowHash(table: Pick<TableShape, 'columns' | 'key'>, functions: HashFunctions): RowHash {
  const forms = table.columns.flatMap((column) => {
    const form = formOf(column, functions);
    return form === undefined ? [] : [`${form} as ${formName(column)}`];
  });
  const keyColumns = table.columns.filter((column) => table.key.includes(column.name));
  return {
    forms,
    h1: mixed(table.columns, 'h1', functions),
    h2: mixed(table.columns, 'h2', functions),
    key: keyColumns.length === 0 ? 'null::bigint' : mixed(keyColumns, 'key', functions),
  };
}

type Family = 'h1' | 'h2' | 'key';

function mixed(columns: readonly Column[], family: Family, functions: HashFunctions): string {
  const parts = columns.map((column) => {
    const hash = columnHash(column, family, functions);
    return column.notNull ? hash : `coalesce(${hash}, ${seed64(family, column.number, 'null')})`;
  });
  const all = [...parts, seed64(family, columns.length, 'columns')].join(' # ');
  return `hashint4extended(${seed32(family, 0, 'mix')}, ${all})`;
}

/** Types whose own hash takes every bit and knows nothing of equality beyond it. Arguments: value, seed. */
const exact: Readonly<Record<string, string>> = {
  int2: 'hashint2extended',
  int4: 'hashint4extended',
  oid: 'hashoidextended',
  char: 'hashcharextended',
  name: 'hashnameextended',
  uuid: 'uuid_hash_extended',
  macaddr: 'hashmacaddrextended',
  macaddr8: 'hashmacaddr8extended',
  bool: 'hashboolextended',
  date: 'hashdateextended',
  bpchar: 'hashbpcharextended',
};

/** Types of a fixed binary form whose hash loses something: hashed through that form. */
const sent: Readonly<Record<string, string>> = {
  float4: 'float4send',
  float8: 'float8send',
  numeric: 'numeric_send',
  timestamp: 'timestamp_send',
  timestamptz: 'timestamptz_send',
  time: 'time_send',
  timetz: 'timetz_send',
  interval: 'interval_send',
  inet: 'inet_send',
  cidr: 'cidr_send',
};

const coreType = (column: Column): string => (column.base.startsWith('pg_catalog.') ? column.base.slice('pg_catalog.'.length) : '');
const textual = new Set(['text', 'varchar', 'bpchar']);
const formName = (column: Column): string => `codeblue_form_${column.number}`;

/** The form under which a column is hashed, for types that have no exact hash function of their own. */
function formOf(column: Column, functions: HashFunctions): string | undefined {
  const value = quoteIdentifier(column.name);
  const type = coreType(column);
  if (type === 'int8' || type === 'bytea' || textual.has(type) || (type in exact && type !== 'date') || column.isEnum) return undefined;
  if (type === 'date') return functions.date ? undefined : `date_send(${value})`;
  const send = sendOf(type, functions);
  // Other arrays and ranges, composites, json, jsonb, xml, geometry, text search, citext, hstore and all that others define: as text.
  return send ? `${send}(${value})` : `${value}::text collate "C"`;
}

const plainElements = new Set([...Object.keys(exact), ...Object.keys(sent), 'int8', 'bytea']);
const ranges = new Set(['int4range', 'int8range', 'numrange', 'daterange', 'tsrange', 'tstzrange']);

/** Function that gives a container's binary form, three times faster than its text and exact: bounds, dimensions and scales included. */
function containerSend(type: string, functions: HashFunctions): string | undefined {
  if (ranges.has(type)) return 'range_send';
  const element = type.startsWith('_') ? type.slice(1) : undefined;
  if (element === undefined) return undefined;
  const plain = plainElements.has(element) && element !== 'name' && element !== 'bpchar';
  return plain || (functions.utf8 && textual.has(element)) ? 'array_send' : undefined;
}

const sendOf = (type: string, functions: HashFunctions): string | undefined => sent[type] ?? containerSend(type, functions);

function columnHash(column: Column, family: Family, functions: HashFunctions): string {
  const value = quoteIdentifier(column.name);
  const seed = seed64(family, column.number, 'value');
  const type = coreType(column);
  if (formOf(column, functions) !== undefined) {
    return type === 'date' || sendOf(type, functions) !== undefined
      ? bytesHash(formName(column), seed, functions)
      : `hashtextextended(${formName(column)}, ${seed})`;
  }
  // The seed takes all 64 bits of its argument, which the value does not: they change places.
  if (type === 'int8') return `hashint4extended(${seed32(family, column.number, 'value')}, ${value})`;
  if (type === 'bool' && !functions.bool) return `hashint4extended(${value}::int4, ${seed})`;
  if (type === 'bytea') return bytesHash(value, seed, functions);
  if (column.isEnum) return `hashenumextended(${value}, ${seed})`;
  const collation = textual.has(type) || type === 'name' ? ' collate "C"' : '';
  return `${exact[type] ?? 'hashtextextended'}(${value}${collation}, ${seed})`;
}

/** Before PostgreSQL 18 bytea has no hash function by name; an array of one has the same bits in its hash. */
function bytesHash(bytes: string, seed: string, functions: HashFunctions): string {
  return functions.bytea
    ? `hashbyteaextended(${bytes}, ${seed})`
    : `case when ${bytes} is not null then hash_array_extended(array[${bytes}], ${seed}) end`;
}

/** Seeds depend on family and column alone, so that every run of every version hashes alike. */
function seed64(family: Family, column: number, use: string): string {
  return `'${digest(family, column, use).readBigInt64BE()}'::int8`;
}

function seed32(family: Family, column: number, use: string): string {
  return `'${digest(family, column, use).readInt32BE()}'::int4`;
}

const digest = (family: Family, column: number, use: string): Buffer =>
  createHash('sha256').update(`codeblue row hash 1 ${family} ${column} ${use}`).digest();
