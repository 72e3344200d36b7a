import { z } from 'zod';
import { parseAs } from '../common/parse.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import type { Answer } from './inspection.ts';
import type { SqlSession } from './ports.ts';
import { eachOn, readOnce, reasonOf } from './scan.ts';
import { qualified, quoteIdentifier } from './session.ts';
import { applicationNamespace } from './tables.ts';

const Row = z.object({
  name: z.string(),
  child_schema: z.string(),
  child_name: z.string(),
  child_kind: z.string(),
  parent_schema: z.string(),
  parent_name: z.string(),
  parent_kind: z.string(),
  match: z.string(),
  validated: z.string(),
  enforced: z.string(),
  temporal: z.string(),
  columns: z.string(),
});
type Row = z.output<typeof Row>;
const Pairs = z.array(z.strictObject({ child: z.string(), parent: z.string(), operator: z.string(), schema: z.string() }));

/** Foreign keys as they were declared: of a partitioned table once, not once per partition. Columns of PostgreSQL 18 read by name, to run on 14. */
const listing = `
select k.conname as name, cn.nspname as child_schema, c.relname as child_name, c.relkind as child_kind,
  pn.nspname as parent_schema, p.relname as parent_name, p.relkind as parent_kind, k.confmatchtype as match, k.convalidated as validated,
  coalesce(to_jsonb(k) ->> 'conenforced', 'true') as enforced, coalesce(to_jsonb(k) ->> 'conperiod', 'false') as temporal,
  (select json_agg(json_build_object('child', ca.attname, 'parent', pa.attname, 'operator', o.oprname, 'schema', opn.nspname) order by u.place)
   from unnest(k.conkey, k.confkey, k.conpfeqop) with ordinality u (child, parent, operator, place)
   join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = u.child
   join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = u.parent
   join pg_operator o on o.oid = u.operator join pg_namespace opn on opn.oid = o.oprnamespace) as columns
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace cn on cn.oid = c.relnamespace
join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and k.conparentid = 0 and c.relpersistence = 'p' and ${applicationNamespace}
order by cn.nspname collate "C", c.relname collate "C", k.conname collate "C"`;

/** Asks of every foreign key, over all rows at once, how many have no row to point to. PostgreSQL itself checks only what is written. */
export async function checkForeignKeys(sessions: readonly SqlSession[]): Promise<readonly Answer[]> {
  const [first] = sessions;
  if (!first) return [];
  const keys = (await first.query(listing)).map((row) => parseAs(Row, row, 'a row of the foreign key listing'));
  const answers: Answer[] = [];
  await eachOn(sessions, keys, async (key, session) => {
    answers.push(await checkOne(key, session));
  });
  return answers.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function checkOne(key: Row, session: SqlSession): Promise<Answer> {
  const name = `${key.child_schema}.${key.child_name}.${key.name}`;
  const skipped = reasonToSkip(key);
  if (skipped) return { name, offences: undefined, reason: skipped, outcome: 'skipped' };
  const found = await readOnce(session, danglingRows(key), []);
  if (found instanceof SqlFailed) return { name, offences: undefined, reason: reasonOf(found), outcome: 'error' };
  return { name, offences: Number(found[0]?.dangling ?? 0), outcome: 'asked' };
}

function reasonToSkip(key: Row): string | undefined {
  if (key.enforced !== 'true') return 'declared NOT ENFORCED';
  if (key.validated !== 't') return 'declared NOT VALID: older rows may break it';
  if (key.temporal !== 'false') return 'temporal: it refers to periods, not to rows';
  return undefined;
}

/** Rows that have all columns and no parent; under MATCH FULL also rows that have some columns and not others. */
function danglingRows(key: Row): string {
  const pairs = parseAs(Pairs, JSON.parse(key.columns), `the columns of foreign key ${key.name}`);
  const child = (column: string): string => `c.${quoteIdentifier(column)}`;
  const matches = pairs.map(
    (pair) => `p.${quoteIdentifier(pair.parent)} operator(${quoteIdentifier(pair.schema)}.${pair.operator}) ${child(pair.child)}`,
  );
  const allPresent = pairs.map((pair) => `${child(pair.child)} is not null`).join(' and ');
  const from = (kind: string, schema: string, name: string): string => `${kind === 'p' ? '' : 'only '}${qualified({ schema, name })}`;
  const dangling = `${allPresent} and not exists (select from ${from(key.parent_kind, key.parent_schema, key.parent_name)} p where ${matches.join(' and ')})`;
  const halfNull = `num_nulls(${pairs.map((pair) => child(pair.child)).join(', ')}) between 1 and ${pairs.length - 1}`;
  const where = key.match === 'f' ? `(${dangling}) or (${halfNull})` : dangling;
  return `select count(*) as dangling from ${from(key.child_kind, key.child_schema, key.child_name)} c where ${where}`;
}
