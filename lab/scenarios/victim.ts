import { z } from 'zod';
import type { SqlSession } from '../../functions/verify/ports.ts';

/** The table that damage is done to: one with rows, in whatever schema the lab was given. */
export interface Victim {
  readonly databaseName: string;
  /** Schema-qualified and quoted. */
  readonly table: string;
  /** Its main file below the data directory: `base/16384/16425`. */
  readonly file: string;
  /** A column that can be changed without breaking a key, and an SQL expression for its other value. */
  readonly column: string;
  readonly otherValue: string;
}

const Row = z.object({ victim: z.string(), file: z.string(), col: z.string(), kind: z.string() });

/** Another value of the same type, never equal to the old one, never null. */
const otherValues: Readonly<Record<string, (column: string) => string>> = {
  text: (column) => `coalesce(${column}, '') || 'x'`,
  int4: (column) => `coalesce(${column}, 0) # 1`,
  int8: (column) => `coalesce(${column}, 0) # 1`,
  numeric: (column) => `coalesce(${column}, 0) + 1`,
  timestamptz: (column) => `coalesce(${column}, now()) + interval '1 second'`,
  date: (column) => `coalesce(${column}, current_date) + 1`,
  bool: (column) => `not coalesce(${column}, false)`,
};

/**
 * The largest table that has rows and a column to change: no key, not generated, under no constraint, in no index.
 * Undefined when the database has none.
 */
export async function pickVictim(session: SqlSession, databaseName: string): Promise<Victim | undefined> {
  const rows = await session.query(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as victim, pg_relation_filepath(c.oid) as file,
            quote_ident(a.attname) as col, t.typname as kind
     from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
       join pg_type t on t.oid = a.atttypid
     where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname not in ('pg_catalog', 'information_schema', 'codeblue')
       and t.typname = any($1) and pg_relation_size(c.oid) > 0
       and not exists (select from pg_constraint k where k.conrelid = c.oid and a.attnum = any(k.conkey))
       and not exists (select from pg_index i where i.indrelid = c.oid and (a.attnum = any(i.indkey) or 0 = any(i.indkey)))
       and not exists (select from pg_depend d where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum and d.deptype in ('a', 'n'))
     order by pg_relation_size(c.oid) desc, array_position($1, t.typname::text), a.attnum limit 1`,
    [Object.keys(otherValues)],
  );
  const [first] = rows;
  if (!first) return undefined;
  const { victim, file, col, kind } = Row.parse(first);
  return { databaseName, table: victim, file, column: col, otherValue: otherValues[kind]?.(col) ?? col };
}
