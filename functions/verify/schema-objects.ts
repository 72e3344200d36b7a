import { createHash } from 'node:crypto';
import type { DatabaseManifest, SchemaObject } from './manifest.ts';
import type { SqlSession } from './ports.ts';
import { applicationNamespace } from './tables.ts';

/** Objects that came with an extension are told by its name and version. */
const ownMade = (catalog: string, oid: string): string =>
  `not exists (select from pg_depend e where e.classid = '${catalog}'::regclass and e.objid = ${oid} and e.deptype = 'e')`;

const role = (oid: string): string => `coalesce((select rolname from pg_roles where oid = ${oid}), ${oid}::text)`;
/** Access lists name roles; sorted, because their order says nothing. */
const acl = (column: string): string =>
  `coalesce((select string_agg(a::text, ' ' order by a::text collate "C") from unnest(${column}) a), 'default')`;

const relationKinds = `case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
  when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' end`;

const relations = `c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't' and ${applicationNamespace} and ${ownMade('pg_class', 'c.oid')}`;

/** One query per kind of object; each gives kind, name, definition. */
const queries: readonly string[] = [
  `select 'schema' as kind, n.nspname as name, concat('owner ', ${role('n.nspowner')}, ' acl ', ${acl('n.nspacl')}) as definition
   from pg_namespace n where ${applicationNamespace} and ${ownMade('pg_namespace', 'n.oid')}`,

  `select ${relationKinds} as kind, n.nspname || '.' || c.relname as name,
     concat_ws(' ', 'owner', ${role('c.relowner')}, 'acl', ${acl('c.relacl')}, 'persistence', c.relpersistence, 'options', c.reloptions,
       case when c.relrowsecurity then 'row security' end, case when c.relforcerowsecurity then 'forced' end, 'identity', c.relreplident,
       'partition', pg_get_expr(c.relpartbound, c.oid), case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
       'inherits', (select string_agg(p.relname, ',' order by i.inhseqno) from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid),
       case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end) as definition
   from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${relations}`,

  `select 'column' as kind, n.nspname || '.' || c.relname || '.' || a.attname as name,
     concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
       case when a.attgenerated <> '' then 'generated ' || a.attgenerated::text end, case when a.attidentity <> '' then 'identity ' || a.attidentity::text end,
       'default', pg_get_expr(d.adbin, d.adrelid),
       'collation', (select l.collname from pg_collation l where l.oid = a.attcollation), 'acl', ${acl('a.attacl')}) as definition
   from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
   left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attnum > 0 and not a.attisdropped and ${relations}`,

  `select 'constraint' as kind, n.nspname || '.' || coalesce(r.relname, t.typname) || '.' || k.conname as name,
     concat(pg_get_constraintdef(k.oid), ' validated ', k.convalidated) as definition
   from pg_constraint k join pg_namespace n on n.oid = k.connamespace
   left join pg_class r on r.oid = k.conrelid left join pg_type t on t.oid = k.contypid
   where ${applicationNamespace} and ${ownMade('pg_constraint', 'k.oid')} and coalesce(r.relpersistence, 'p') <> 't' and k.contype <> 't'`,

  `select 'index' as kind, n.nspname || '.' || c.relname as name, concat(pg_get_indexdef(i.indexrelid), ' valid ', i.indisvalid and i.indisready,
     case when i.indisclustered then ' clustered' end, case when i.indisreplident then ' replica identity' end) as definition
   from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
   where c.relpersistence <> 't' and ${applicationNamespace} and ${ownMade('pg_class', 'i.indrelid')}`,

  `select 'trigger' as kind, n.nspname || '.' || c.relname || '.' || t.tgname as name, concat(pg_get_triggerdef(t.oid), ' enabled ', t.tgenabled) as definition
   from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
   where not t.tgisinternal and ${relations}`,

  `select 'rule' as kind, n.nspname || '.' || c.relname || '.' || r.rulename as name, pg_get_ruledef(r.oid) as definition
   from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
   where r.rulename <> '_RETURN' and ${relations}`,

  `select 'policy' as kind, n.nspname || '.' || c.relname || '.' || p.polname as name,
     concat_ws(' ', p.polcmd, p.polpermissive, 'to', (select string_agg(${role('m')}, ',' order by m) from unnest(p.polroles) m),
       'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)) as definition
   from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace where ${relations}`,

  `select 'routine' as kind, n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
     concat_ws(' ', case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else concat(p.prokind, ' ', p.prosrc) end,
       'owner', ${role('p.proowner')}, 'acl', ${acl('p.proacl')}) as definition
   from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${applicationNamespace} and ${ownMade('pg_proc', 'p.oid')}`,

  `select 'sequence' as kind, n.nspname || '.' || c.relname as name,
     concat_ws(' ', format_type(s.seqtypid, null), 'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax,
       'cache', s.seqcache, 'cycle', s.seqcycle, 'owner', ${role('c.relowner')}, 'acl', ${acl('c.relacl')}, 'owned by',
       (select r.relname || '.' || a.attname from pg_depend d join pg_class r on r.oid = d.refobjid
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))) as definition
   from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
   where c.relpersistence <> 't' and ${applicationNamespace} and ${ownMade('pg_class', 'c.oid')}`,

  `select 'type' as kind, n.nspname || '.' || t.typname as name,
     concat_ws(' ', t.typtype, 'owner', ${role('t.typowner')}, 'acl', ${acl('t.typacl')},
       (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
       case when t.typtype = 'd' then concat_ws(' ', format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault) end,
       (select format_type(g.rngsubtype, null) from pg_range g where g.rngtypid = t.oid),
       (select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
        from pg_class c join pg_attribute a on a.attrelid = c.oid where c.oid = t.typrelid and c.relkind = 'c' and a.attnum > 0 and not a.attisdropped)) as definition
   from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class r on r.oid = t.typrelid
   where t.typtype in ('e', 'd', 'r', 'm', 'c') and (r.oid is null or r.relkind = 'c') and ${applicationNamespace} and ${ownMade('pg_type', 't.oid')}`,

  `select 'extension' as kind, e.extname as name, concat(e.extversion, ' in ', n.nspname) as definition
   from pg_extension e join pg_namespace n on n.oid = e.extnamespace where n.nspname <> 'codeblue'`,
];

/** What the application made: every object and its definition, sorted. Row counts, sequence positions and statistics are not part of it. */
export async function listSchema(session: SqlSession): Promise<readonly SchemaObject[]> {
  const objects: SchemaObject[] = [];
  for (const query of queries) {
    for (const row of await session.query(query)) {
      objects.push({ kind: row.kind ?? '', name: row.name ?? '', definition: row.definition ?? '' });
    }
  }
  return objects.sort((a, b) => compare(objectId(a), objectId(b)) || compare(a.definition, b.definition));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const objectId = (object: { readonly kind: string; readonly name: string }): string => `${object.kind} ${object.name}`;

/** SHA-256 (hex) of the sorted list. */
export function schemaFingerprint(objects: readonly SchemaObject[]): string {
  return createHash('sha256')
    .update(JSON.stringify(objects.map(({ kind, name, definition }) => [kind, name, definition])))
    .digest('hex');
}

/** What later has and earlier has not, or has differently; `definition` null for what is gone. */
export function changesBetween(earlier: readonly SchemaObject[], later: readonly SchemaObject[]): DatabaseManifest['schemaChanges'] {
  const before = new Map(earlier.map((object) => [objectId(object), object.definition]));
  const after = new Map(later.map((object) => [objectId(object), object.definition]));
  const changed = later.filter((object) => before.get(objectId(object)) !== object.definition);
  const gone = earlier.filter((object) => !after.has(objectId(object)));
  return [...changed, ...gone.map(({ kind, name }) => ({ kind, name, definition: null }))];
}

/** Sentences for the objects that a copy lacks, has too many, or has differently. DDL while the manifest was taken is allowed for. */
export function schemaDifferences(
  manifest: Pick<DatabaseManifest, 'schema' | 'schemaChanges'>,
  copy: readonly SchemaObject[],
): readonly string[] {
  const allowed = new Map<string, readonly (string | null)[]>(manifest.schema.map((object) => [objectId(object), [object.definition]]));
  for (const change of manifest.schemaChanges) {
    allowed.set(objectId(change), [...(allowed.get(objectId(change)) ?? [null]), change.definition]);
  }
  const present = new Map(copy.map((object) => [objectId(object), object.definition]));
  const differences: string[] = [];
  for (const [id, definitions] of allowed) {
    const found = present.get(id) ?? null;
    if (!definitions.includes(found)) differences.push(found === null ? `${id} is missing` : `${id} is different`);
  }
  for (const id of present.keys()) if (!allowed.has(id)) differences.push(`${id} is not in the live database`);
  return differences;
}
