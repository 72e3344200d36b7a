import { z } from 'zod';
import type { Invariant } from '../common/operations.ts';
import { parseAs } from '../common/parse.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import type { Answer } from './inspection.ts';
import type { SqlSession } from './ports.ts';
import { eachOn, readOnce, reasonOf } from './scan.ts';
import { qualified, quoteIdentifier } from './session.ts';
import { applicationNamespace, type TableShape, tableId } from './tables.ts';

const Row = z.object({ oid: z.string(), name: z.string(), expression: z.string() });

/** Validated CHECK constraints of stored rows. */
const listing = `
select k.conrelid as oid, k.conname as name, pg_get_expr(k.conbin, k.conrelid) as expression
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'c' and k.convalidated and c.relkind = 'r' and c.relpersistence = 'p' and ${applicationNamespace}
  and coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true'
order by k.conrelid, k.conname collate "C"`;

/**
 * Asks CHECK and NOT NULL again of every row: one scan per table that has any. num_nulls, because the planner believes a NOT NULL
 * column and drops the test `is null`.
 */
export async function checkConstraints(sessions: readonly SqlSession[], tables: readonly TableShape[]): Promise<readonly Answer[]> {
  const [first] = sessions;
  if (!first) return [];
  const checks = (await first.query(listing)).map((row) => parseAs(Row, row, 'a row of the constraint listing'));
  const answers: Answer[] = [];
  await eachOn(sessions, tables, async (table, session) => {
    const rules = [
      ...checks
        .filter((check) => check.oid === table.oid)
        .map((check) => ({ name: `${tableId(table)}.${check.name}`, broken: `(${check.expression}) is false` })),
      ...notNullRule(table),
    ];
    if (rules.length === 0) return;
    const counts = rules.map((rule, index) => `count(*) filter (where ${rule.broken}) as r${index}`);
    const found = await readOnce(session, `select ${counts.join(', ')} from only ${qualified(table)}`, []);
    if (found instanceof SqlFailed) {
      answers.push({ name: tableId(table), offences: undefined, reason: reasonOf(found), outcome: 'error' });
      return;
    }
    for (const [index, rule] of rules.entries()) {
      answers.push({ name: rule.name, offences: Number(found[0]?.[`r${index}`] ?? 0), outcome: 'asked' });
    }
  });
  return answers.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function notNullRule(table: TableShape): { name: string; broken: string }[] {
  const columns = table.columns.filter((column) => column.notNull).map((column) => quoteIdentifier(column.name));
  // A function takes at most 100 arguments.
  const groups = Array.from({ length: Math.ceil(columns.length / 90) }, (_, index) => columns.slice(index * 90, (index + 1) * 90));
  return groups.map((group) => ({ name: `${tableId(table)} NOT NULL`, broken: `num_nulls(${group.join(', ')}) > 0` }));
}

/** Runs the invariants of the config. They read; what they find is counted and never shown. */
export async function checkInvariants(
  session: SqlSession,
  invariants: readonly Invariant[],
): Promise<readonly (Answer & { readonly says: string })[]> {
  const answers: (Answer & { readonly says: string })[] = [];
  for (const { name, says, sql, tables } of invariants) {
    const absent = await absentTables(session, tables);
    if (absent.length > 0) {
      answers.push({ name, says, offences: undefined, reason: `there is no table ${absent.join(', ')}`, outcome: 'skipped' });
      continue;
    }
    // pg_catalog first: nothing in public can take the place of what the invariant means.
    await session.query('set search_path = pg_catalog, public');
    const found = await readOnce(session, `select count(*) as offences from (${sql.trim().replace(/;+$/, '')}) invariant`, []);
    await session.query('set search_path = pg_catalog');
    answers.push(
      found instanceof SqlFailed
        ? { name, says, offences: undefined, reason: reasonOf(found), outcome: 'error' }
        : { name, says, offences: Number(found[0]?.offences ?? 0), outcome: 'asked' },
    );
  }
  return answers;
}

async function absentTables(session: SqlSession, tables: readonly string[]): Promise<readonly string[]> {
  const rows = await session.query(
    `select t as name from unnest($1::text[]) t where not exists (
       select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname || '.' || c.relname = t)`,
    [tables],
  );
  return rows.map((row) => row.name ?? '');
}
