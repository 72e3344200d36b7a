import { z } from 'zod';
import { parseAs } from '../common/parse.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import type { SequenceState } from './manifest.ts';
import type { SqlSession } from './ports.ts';
import { qualified, quoteIdentifier } from './session.ts';
import { applicationNamespace } from './tables.ts';

const Row = z.object({
  schema: z.string(),
  name: z.string(),
  increment: z.string(),
  cycles: z.string().transform((text) => text === 't'),
  minimum: z.string(),
  maximum: z.string(),
  table_schema: z.string().nullable(),
  table_name: z.string().nullable(),
  column_name: z.string().nullable(),
});

/** Sequences and the integer column that each feeds: as its owner, as its identity, or by a default that calls nextval. */
const listing = `
select n.nspname as schema, c.relname as name, s.seqincrement as increment, s.seqcycle as cycles, s.seqmin as minimum, s.seqmax as maximum,
  f.schema as table_schema, f.table as table_name, f.column as column_name
from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
left join lateral (
  select tn.nspname as schema, t.relname as "table", a.attname as "column"
  from (select d.refobjid as relation, d.refobjsubid as number from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
        union
        select ad.adrelid, ad.adnum from pg_depend d join pg_attrdef ad on ad.oid = d.objid
        where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid) fed
  join pg_class t on t.oid = fed.relation and t.relkind in ('r', 'p') join pg_namespace tn on tn.oid = t.relnamespace
  join pg_attribute a on a.attrelid = fed.relation and a.attnum = fed.number
  where a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
) f on true
where c.relpersistence = 'p' and ${applicationNamespace}
order by n.nspname collate "C", c.relname collate "C", f.schema collate "C", f.table collate "C"`;

/** Where every sequence stands, and whether the column it feeds is ahead of it. One that cannot be read is left out. */
export async function readSequences(session: SqlSession): Promise<readonly SequenceState[]> {
  const states = new Map<string, SequenceState>();
  for (const raw of await session.query(listing)) {
    const row = parseAs(Row, raw, 'a row of the sequence listing');
    const id = `${row.schema}.${row.name}`;
    const lastValue = await lastValueOf(session, row);
    if (lastValue === undefined) continue;
    const behind = await isBehind(session, row, lastValue);
    states.set(id, {
      schema: row.schema,
      name: row.name,
      increment: row.increment,
      cycles: row.cycles,
      lastValue,
      behindColumn: behind || (states.get(id)?.behindColumn ?? false),
    });
  }
  return [...states.values()];
}

async function lastValueOf(session: SqlSession, sequence: z.output<typeof Row>): Promise<string | null | undefined> {
  try {
    const [row] = await session.query(`select case when is_called then last_value end as value from ${qualified(sequence)}`);
    return row?.value ?? null;
  } catch (error) {
    if (error instanceof SqlFailed) return undefined;
    throw error;
  }
}

/** Numbers outside the sequence's range never came from it and do not count. */
async function isBehind(session: SqlSession, row: z.output<typeof Row>, lastValue: string | null): Promise<boolean> {
  if (row.table_schema === null || row.table_name === null || row.column_name === null || row.cycles) return false;
  const column = quoteIdentifier(row.column_name);
  const down = row.increment.startsWith('-');
  const table = qualified({ schema: row.table_schema, name: row.table_name });
  const beyond = lastValue === null ? 'true' : down ? `${column} < ${lastValue}` : `${column} > ${lastValue}`;
  try {
    const [found] = await session.query(
      `select exists (select from ${table} where ${beyond} and ${column} between ${row.minimum} and ${row.maximum}) as behind`,
    );
    return found?.behind === 't';
  } catch (error) {
    // The table's own reading reports why it cannot be read.
    if (error instanceof SqlFailed) return false;
    throw error;
  }
}

/**
 * Of a reading before the copy and one after it, the one that is further back: a copy in between is at or beyond it, also when somebody
 * set the sequence back meanwhile.
 */
export function mergeSequences(before: readonly SequenceState[], after: readonly SequenceState[]): readonly SequenceState[] {
  const later = new Map(after.map((state) => [`${state.schema}.${state.name}`, state]));
  return before.flatMap((state) => {
    const then = later.get(`${state.schema}.${state.name}`);
    if (!then) return [];
    const back = isBefore(then.lastValue, state.lastValue, state.increment) ? then : state;
    return [{ ...back, behindColumn: state.behindColumn || then.behindColumn }];
  });
}

/** Is `a` behind `b` in the direction that the sequence runs? Null is before the first number. */
export function isBefore(a: string | null, b: string | null, increment: string): boolean {
  if (b === null) return false;
  if (a === null) return true;
  return increment.startsWith('-') ? BigInt(a) > BigInt(b) : BigInt(a) < BigInt(b);
}
