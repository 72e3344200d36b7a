import { z } from 'zod';
import { parseAs } from '../common/parse.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import type { Answer } from './inspection.ts';
import type { SqlSession } from './ports.ts';
import { DeadlinePassed, eachOn, reasonOf } from './scan.ts';
import { qualified, quoteIdentifier } from './session.ts';
import { applicationNamespace, type TableShape, tableId } from './tables.ts';

const Row = z.object({
  oid: z.string(),
  schema: z.string(),
  name: z.string(),
  method: z.string(),
  valid: z.string(),
  bytes: z.coerce.number(),
  table_oid: z.string(),
});
type Row = z.output<typeof Row>;

const listing = `
select i.indexrelid as oid, n.nspname as schema, c.relname as name, m.amname as method, i.indisvalid and i.indisready as valid,
  pg_table_size(i.indrelid) as bytes, i.indrelid as table_oid
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class r on r.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace join pg_am m on m.oid = c.relam
where c.relkind = 'i' and r.relpersistence = 'p' and ${applicationNamespace}
order by n.nspname collate "C", c.relname collate "C"`;

/** Above that, looking up every row of the table in the index takes longer than a verification should. */
const HEAP_ALL_INDEXED_BYTES = 4 * 1024 ** 3;

/**
 * Every index: valid, and its structure sound against its table, by amcheck where it can be created. Without it each B-tree is read from
 * end to end and must lead to as many rows as the table has; of other methods only validity is known then, and the answer says so.
 */
export async function checkIndexes(sessions: readonly SqlSession[], tables: readonly TableShape[]): Promise<readonly Answer[]> {
  const [first] = sessions;
  if (!first) return [];
  const amcheck = await prepareAmcheck(first);
  const indexes = (await first.query(listing)).map((row) => parseAs(Row, row, 'a row of the index listing'));
  const answers: Answer[] = [];
  await eachOn(sessions, indexes, async (index, session) => {
    answers.push(await checkIndex(index, amcheck, session));
  });
  if ('schema' in amcheck) {
    await eachOn(sessions, tables, async (table, session) => {
      answers.push(await checkHeap(table, amcheck.schema, session));
    });
  } else {
    answers.push({
      name: 'amcheck',
      offences: undefined,
      reason: `not available: ${amcheck.unavailable}; B-trees were read through instead`,
      outcome: 'skipped',
    });
  }
  return answers.sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Amcheck = { readonly schema: string } | { readonly unavailable: string };

/** Where it is, or created in our own schema, which no fingerprint covers. */
async function prepareAmcheck(session: SqlSession): Promise<Amcheck> {
  try {
    const [present] = await session.query(
      `select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'amcheck'`,
    );
    if (present?.schema) return { schema: present.schema };
    await session.query('create schema if not exists codeblue');
    await session.query('create extension amcheck with schema codeblue');
    return { schema: 'codeblue' };
  } catch (error) {
    if (error instanceof SqlFailed) return { unavailable: reasonOf(error) };
    throw error;
  }
}

async function checkIndex(index: Row, amcheck: Amcheck, session: SqlSession): Promise<Answer> {
  const name = `${index.schema}.${index.name}`;
  if (index.valid !== 't') return { name, offences: 1, reason: 'it is marked invalid', outcome: 'asked' };
  if ('unavailable' in amcheck) {
    if (index.method === 'btree') return ask(session, name, () => missedByIndex(index, session));
    return {
      name,
      offences: undefined,
      reason: `valid; method ${index.method} cannot be checked further without amcheck`,
      outcome: 'skipped',
    };
  }
  const check = await amcheckCall(index, session);
  if (check === undefined) {
    return {
      name,
      offences: undefined,
      reason: `valid; this version of amcheck has no check for method ${index.method}`,
      outcome: 'skipped',
    };
  }
  return ask(session, name, async () => {
    await session.query(`set search_path = pg_catalog, ${quoteIdentifier(amcheck.schema)}`);
    await session.query(check);
    return 0;
  });
}

async function amcheckCall(index: Row, session: SqlSession): Promise<string | undefined> {
  if (index.method === 'btree') return `select bt_index_check(${index.oid}::regclass, ${index.bytes <= HEAP_ALL_INDEXED_BYTES})`;
  if (index.method !== 'gin') return undefined;
  const [row] = await session.query(
    `select exists (select from pg_proc p join pg_depend d on d.objid = p.oid and d.deptype = 'e' join pg_extension e on e.oid = d.refobjid
       where e.extname = 'amcheck' and p.proname = 'gin_index_check') as present`,
  );
  return row?.present === 't' ? `select gin_index_check(${index.oid}::regclass)` : undefined;
}

/** How many rows of the table a walk through the whole index does not lead to. @throws SqlFailed also when the planner will not walk it */
async function missedByIndex(index: Row, session: SqlSession): Promise<number> {
  const [shape] = await session.query(
    `select (select string_agg(pg_get_indexdef(i.indexrelid, k::int, true) || case when i.indoption[k - 1] & 1 = 1 then ' desc' else '' end ||
         case when i.indoption[k - 1] & 2 = 2 then ' nulls first' else ' nulls last' end, ', ' order by k) from generate_series(1, i.indnkeyatts) k) as keys,
       coalesce(pg_get_expr(i.indpred, i.indrelid), 'true') as predicate, n.nspname as schema, c.relname as name
     from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace where i.indexrelid = $1::oid`,
    [index.oid],
  );
  const rows = `from only ${qualified({ schema: shape?.schema ?? '', name: shape?.name ?? '' })} where ${shape?.predicate}`;
  const walk = `select count(*) as count from (select 1 ${rows} order by ${shape?.keys}) walk`;
  const [all] = await session.query(`select count(*) as count ${rows}`);
  await session.query('set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; set enable_incremental_sort = off');
  try {
    const plan = await session.query(`explain (format text, costs off) ${walk}`);
    if (!plan.some((line) => / using "?/.test(line['QUERY PLAN'] ?? '') && line['QUERY PLAN']?.includes(index.name))) {
      throw new SqlFailed('0A000', 'the planner prefers another index for this walk');
    }
    const [walked] = await session.query(walk);
    return Math.abs(Number(all?.count) - Number(walked?.count));
  } finally {
    await session.query('reset enable_seqscan; reset enable_bitmapscan; reset enable_sort; reset enable_incremental_sort').catch(() => []);
  }
}

async function checkHeap(table: TableShape, schema: string, session: SqlSession): Promise<Answer> {
  const name = `${tableId(table)} (rows)`;
  return ask(session, name, async () => {
    await session.query(`set search_path = pg_catalog, ${quoteIdentifier(schema)}`);
    const [row] = await session.query(`select count(*) as offences from verify_heapam(${table.oid}::regclass)`);
    return Number(row?.offences ?? 0);
  });
}

async function ask(session: SqlSession, name: string, question: () => Promise<number>): Promise<Answer> {
  try {
    return { name, offences: await question(), outcome: 'asked' };
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    if (error.sqlState === '57014') throw new DeadlinePassed('checking an index');
    return { name, offences: undefined, reason: reasonOf(error), outcome: error.sqlState === '0A000' ? 'skipped' : 'error' };
  } finally {
    await session.query('set search_path = pg_catalog').catch(() => []);
  }
}
