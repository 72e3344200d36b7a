import { z } from 'zod';
import { parseAs } from '../../common/parse.ts';
import type { SqlSession } from '../../verify/ports.ts';
import { applicationNamespace } from '../../verify/tables.ts';

/** Name of the trigger on every table. */
export const FENCE_TRIGGER = 'codeblue_fence';

/** A table that applications write to: ordinary and partitioned ones, unlogged ones too. */
export interface ApplicationTable {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** Carries the trigger, exactly as this version defines it, and enabled for every session. */
  readonly guarded: boolean;
  /** Codeblue's role may act as the owner, as ENABLE ALWAYS demands. */
  readonly permitted: boolean;
  /** Fed by a logical replication subscription, which fires no statement triggers: its writes pass every fence of this kind. */
  readonly subscribed: boolean;
}

const Row = z.object({
  schema: z.string(),
  name: z.string(),
  owner: z.string(),
  guarded: z.enum(['t', 'f']),
  permitted: z.enum(['t', 'f']),
  subscribed: z.enum(['t', 'f']),
});

/** BEFORE (2), for INSERT (4), DELETE (8), UPDATE (16), TRUNCATE (32), each statement: `tgtype` of pg_trigger.h. */
const TRIGGER_TYPE = 2 + 4 + 8 + 16 + 32;

const guarded = `exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = '${FENCE_TRIGGER}' and t.tgtype = ${TRIGGER_TYPE}
  and t.tgenabled = 'A' and t.tgqual is null and t.tgattr = '' and t.tgfoid = to_regprocedure('codeblue.guard_write()'))`;

/** Partitions are listed beside their parents: a statement fires the triggers of the table that it names. What extensions brought is theirs. */
const listing = `
select n.nspname as schema, c.relname as name, pg_get_userbyid(c.relowner) as owner, ${guarded} as guarded,
  pg_has_role(c.relowner, 'member') as permitted, exists (select from pg_subscription_rel s where s.srrelid = c.oid) as subscribed
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence in ('p', 'u') and (${applicationNamespace} or c.oid = to_regclass('codeblue.canary'))
  and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"`;

/** Every table that must be fenced, sorted by schema and name. */
export async function listApplicationTables(session: SqlSession): Promise<readonly ApplicationTable[]> {
  const rows = await session.query(listing);
  return rows.map((row) => {
    const table = parseAs(Row, row, 'a row of the table listing');
    return { ...table, guarded: table.guarded === 't', permitted: table.permitted === 't', subscribed: table.subscribed === 't' };
  });
}

export const isFenced = ({ guarded, subscribed }: ApplicationTable): boolean => guarded && !subscribed;
