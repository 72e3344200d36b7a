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
 * Here each column is hashed by a function that takes every bit of it, and the hashes form a chain: each is the seed of the next, which
 * costs one call a column and is not linear, so that sums over rows do not see through it. A null counts as an empty value and leaves its
 * mark in the beginning of the chain. The hash does not depend on whether a column may be null: ALTER TABLE during a backup may change
 * that. It is PostgreSQL's own (Jenkins' lookup3, 64 of 96 bits of state): against accidents, not against somebody who computes collisions.
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
    h1: chained(table.columns, 'h1', functions),
    h2: chained(table.columns, 'h2', functions),
    key: keyColumns.length === 0 ? 'null::bigint' : chained(keyColumns, 'key', functions),
  };
}

type Family = 'h1' | 'h2' | 'key';

function chained(columns: readonly Column[], family: Family, functions: HashFunctions): string {
  const beginning = columns.flatMap((column) => beginningOf(column, family, functions));
  let state = [...beginning, seed64(family, columns.length, 'columns')].join(' # ');
  const bigints = columns.filter(isInt8).map((column) => presentValue(column, functions));
  const others = columns.filter((column) => !isInt8(column) && !column.isEnum);
  for (const column of others) {
    // A bigint rides along for an XOR, never two of them: exchanged, they would leave the same state.
    const bigint = bigints.shift();
    state = columnHash(column, bigint === undefined ? state : `${bigint} # ${state}`, functions);
  }
  for (const bigint of bigints) state = mixed(`${bigint} # ${state}`);
  return columns.every((column) => column.isEnum) ? mixed(state) : state;
}

/** What goes into the beginning of the chain: marks of nulls, and enums, which have no value that could stand for null. */
function beginningOf(column: Column, family: Family, functions: HashFunctions): readonly string[] {
  const ifNull = seed64(family, column.number, 'null');
  if (column.isEnum) {
    const hash = `hashenumextended(${quoteIdentifier(column.name)}, ${seed64(family, column.number, 'value')})`;
    return [column.notNull ? hash : `coalesce(${hash}, ${ifNull})`];
  }
  if (column.notNull || sendOf(column, functions) !== undefined) return [];
  return [`case when ${hashedValue(column, functions)} is null then ${ifNull} else 0 end`];
}

/** All 64 bits of `state` go in as the seed: of a value no more than 32 would count. */
const mixed = (state: string): string => `hashint4extended(0, ${state})`;

/** Types whose own hash takes every bit and knows nothing of equality beyond it: (value, seed); and a value to stand for null. */
const exact: Readonly<Record<string, readonly [hash: string, empty: string]>> = {
  int2: ['hashint2extended', '0'],
  int4: ['hashint4extended', '0'],
  oid: ['hashoidextended', '0'],
  char: ['hashcharextended', ''],
  name: ['hashnameextended', ''],
  uuid: ['uuid_hash_extended', '00000000-0000-0000-0000-000000000000'],
  macaddr: ['hashmacaddrextended', '00:00:00:00:00:00'],
  macaddr8: ['hashmacaddr8extended', '00:00:00:00:00:00:00:00'],
  bool: ['hashboolextended', 'false'],
  date: ['hashdateextended', '2000-01-01'],
  bpchar: ['hashbpcharextended', ''],
  inet: ['hashinetextended', '0.0.0.0'],
  cidr: ['hashinetextended', '0.0.0.0'],
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
};

const coreType = (column: Column): string => (column.base.startsWith('pg_catalog.') ? column.base.slice('pg_catalog.'.length) : '');
const isInt8 = (column: Column): boolean => coreType(column) === 'int8';
const textual = new Set(['text', 'varchar', 'bpchar']);
const formName = (column: Column): string => `codeblue_form_${column.number}`;

/**
 * The form under which a column is hashed, for types that have no exact hash function of their own. A binary form is never empty, so
 * empty bytes stand for null.
 */
function formOf(column: Column, functions: HashFunctions): string | undefined {
  const value = quoteIdentifier(column.name);
  const send = sendOf(column, functions);
  if (send !== undefined) return column.notNull ? `${send}(${value})` : `coalesce(${send}(${value}), '')`;
  const type = coreType(column);
  if (type === 'int8' || type === 'bytea' || textual.has(type) || type in exact || column.isEnum) return undefined;
  // Other arrays and ranges, composites, xml, geometry, text search, citext, hstore and all that others define: as text.
  return `${value}::text collate "C"`;
}

/** Binary forms that hold text; faster than a cast to text. */
const sentAsText: Readonly<Record<string, string>> = { json: 'json_send', jsonb: 'jsonb_send' };

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

/** Function that gives the binary form of a column, where that is what to hash. */
function sendOf(column: Column, functions: HashFunctions): string | undefined {
  const type = coreType(column);
  if (type === 'date' && !functions.date) return 'date_send';
  return sent[type] ?? (functions.utf8 ? sentAsText[type] : undefined) ?? containerSend(type, functions);
}

const hashedValue = (column: Column, functions: HashFunctions): string =>
  formOf(column, functions) === undefined ? quoteIdentifier(column.name) : formName(column);

/** The value to hash, never null where the column keeps its word. */
function presentValue(column: Column, functions: HashFunctions): string {
  const value = hashedValue(column, functions);
  if (column.notNull || sendOf(column, functions) !== undefined) return value;
  return `coalesce(${value}, '${isInt8(column) ? '0' : (exact[coreType(column)]?.[1] ?? '')}')`;
}

/** SQL: the hash of a column under a seed. */
function columnHash(column: Column, seed: string, functions: HashFunctions): string {
  const value = presentValue(column, functions);
  const type = coreType(column);
  if (sendOf(column, functions) !== undefined || type === 'bytea') return bytesHash(value, seed, functions);
  if (type === 'bool' && !functions.bool) return `hashint4extended(${value}::int4, ${seed})`;
  const collation = type in exact && type !== 'name' && type !== 'bpchar' ? '' : ' collate "C"';
  return `${exact[type]?.[0] ?? 'hashtextextended'}(${value}${collation}, ${seed})`;
}

/** Before PostgreSQL 18 bytea has no hash function by name; an array of one has the same bits in its hash. */
const bytesHash = (bytes: string, seed: string, functions: HashFunctions): string =>
  functions.bytea ? `hashbyteaextended(${bytes}, ${seed})` : `hash_array_extended(array[${bytes}], ${seed})`;

/** Seeds depend on family and column alone, so that every run of every version hashes alike. */
function seed64(family: Family, column: number, use: string): string {
  return `'${digest(family, column, use).readBigInt64BE()}'::int8`;
}

const digest = (family: Family, column: number, use: string): Buffer =>
  createHash('sha256').update(`codeblue row hash 2 ${family} ${column} ${use}`).digest();
