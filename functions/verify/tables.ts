import { z } from 'zod';
import { parseAs } from '../common/parse.ts';
import type { SqlSession } from './ports.ts';

/** A column that is stored in the row. `base` is its type below any domain, as `pg_catalog.int8`. */
export interface Column {
  readonly name: string;
  /** Position in the table; survives dropped columns and physical copies. */
  readonly number: number;
  readonly base: string;
  readonly isEnum: boolean;
  readonly notNull: boolean;
}

/** A table whose rows are compared: ordinary tables, leaf partitions, populated materialized views, and large objects where the role may read them. */
export interface TableShape {
  readonly schema: string;
  readonly name: string;
  readonly oid: string;
  readonly kind: 'table' | 'materialized-view';
  /** Names the file that holds the rows; changes when the table is rewritten or truncated. */
  readonly fileNode: string;
  readonly blocks: number;
  readonly columns: readonly Column[];
  /** Columns of the primary key, else of the replica identity, else of a unique index over columns that are not null; empty without one. */
  readonly key: readonly string[];
}

const Row = z.object({
  schema: z.string(),
  name: z.string(),
  oid: z.string(),
  relkind: z.enum(['r', 'm']),
  file_node: z.string(),
  blocks: z.coerce.number(),
  columns: z.string().transform((text): unknown => JSON.parse(text)),
  key: z.string().transform((text): unknown => JSON.parse(text)),
});
const Columns = z.array(
  z.strictObject({
    name: z.string(),
    number: z.number(),
    base: z.string(),
    isEnum: z.boolean(),
    notNull: z.boolean(),
  }),
);

/** Tables of applications: not of PostgreSQL, not of Codeblue, not temporary. */
export const applicationNamespace = `n.nspname not in ('pg_catalog', 'information_schema', 'codeblue') and n.nspname !~ '^pg_(toast|temp)'`;

/** attnotnull alone is not enough: since PostgreSQL 18 it is also set for NOT NULL constraints that are NOT VALID, and such columns hold nulls. */
const isNotNull = (attribute: string): string =>
  `(${attribute}.attnotnull and not exists (select from pg_constraint v
    where v.conrelid = ${attribute}.attrelid and v.contype = 'n' and not v.convalidated and v.conkey = array[${attribute}.attnum]))`;

const listing = `
with recursive base (oid, base_oid) as (
  select oid, oid from pg_type where typtype <> 'd'
  union all
  select d.oid, b.base_oid from pg_type d join base b on d.typbasetype = b.oid where d.typtype = 'd'
)
select n.nspname as schema, c.relname as name, c.oid, c.relkind, coalesce(pg_relation_filenode(c.oid), 0) as file_node,
  coalesce(pg_relation_size(c.oid) / current_setting('block_size')::int, 0) as blocks,
  (select coalesce(json_agg(json_build_object('name', a.attname, 'number', a.attnum,
      'base', tn.nspname || '.' || t.typname, 'isEnum', t.typtype = 'e', 'notNull', ${isNotNull('a')}) order by a.attnum), '[]')
   from pg_attribute a join base b on b.oid = a.atttypid join pg_type t on t.oid = b.base_oid join pg_namespace tn on tn.oid = t.typnamespace
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> 'v') as columns,
  coalesce((select json_agg(a.attname order by k.place)
   from (select i.indexrelid, i.indkey, i.indnkeyatts from pg_index i
         where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
           and not exists (select from unnest(i.indkey::int2[]) with ordinality u (attnum, place)
             join pg_attribute x on x.attrelid = c.oid and x.attnum = u.attnum where u.place <= i.indnkeyatts and not ${isNotNull('x')})
         order by i.indisprimary desc, i.indisreplident desc, i.indexrelid limit 1) i,
     unnest(i.indkey::int2[]) with ordinality k (attnum, place)
   join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum where k.place <= i.indnkeyatts), '[]') as key
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and c.relpersistence = 'p' and (c.relkind = 'r' or c.relispopulated) and (${applicationNamespace}
  or c.oid = 'pg_catalog.pg_largeobject'::regclass and pg_relation_size(c.oid) > 0 and has_table_privilege(c.oid, 'select'))
order by n.nspname collate "C", c.relname collate "C"`;

/** Every table whose rows are compared, sorted by schema and name. */
export async function listTables(session: SqlSession): Promise<readonly TableShape[]> {
  const rows = await session.query(listing);
  return rows.map((row) => {
    const table = parseAs(Row, row, 'a row of the table listing');
    return {
      schema: table.schema,
      name: table.name,
      oid: table.oid,
      kind: table.relkind === 'm' ? 'materialized-view' : 'table',
      fileNode: table.file_node,
      blocks: table.blocks,
      columns: parseAs(Columns, table.columns, `the columns of ${table.schema}.${table.name}`),
      key: parseAs(z.array(z.string()), table.key, `the key of ${table.schema}.${table.name}`),
    };
  });
}

/** Unlogged tables: empty after every restore, so nothing can be said of their rows. */
export async function listUnloggedTables(session: SqlSession): Promise<readonly string[]> {
  const rows = await session.query(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and c.relpersistence = 'u' and ${applicationNamespace} order by 1`,
  );
  return rows.map((row) => row.name ?? '');
}

export const tableId = (table: { readonly schema: string; readonly name: string }): string => `${table.schema}.${table.name}`;
