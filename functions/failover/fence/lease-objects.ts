import { createHash } from 'node:crypto';
import type { SqlSession } from '../../verify/ports.ts';

/**
 * The end of a lease that nobody has given yet, in microseconds since 1970: the year 2255, and exact as a JavaScript number. A database that was
 * fenced a moment ago and has no guardian yet is open: installing the fence must not be the outage. It lasts until the first renewal, whose
 * epoch is 1 or later; nothing ever goes back to epoch 0, so a fence that was once in force cannot be open for want of a guardian.
 */
export const NEVER_LEASED_UNTIL = Number.MAX_SAFE_INTEGER;

/** Any number, the same in every version: serializes installation. */
const INSTALL_LOCK = 6_213_370_912;

/**
 * The end of the lease. It is the value of a sequence: read without a snapshot, so that a transaction of any isolation level sees it as it is now, logged and
 * replicated like a table, and cheap. NULL where the sequence was reset.
 */
const leaseUntil = `pg_catalog.pg_sequence_last_value('codeblue.lease_until')`;
const lasts = (until: string): string =>
  `(pg_catalog.to_timestamp(${until}::pg_catalog.float8 / 1e6) operator(pg_catalog.>) pg_catalog.clock_timestamp()) is true`;

/** What the transaction remembers of its check at commit. `set_config` is undone by a rollback to a savepoint, exactly as the queued check is. */
const remembered = `pg_catalog.current_setting('codeblue.write', true)`;
const remember = (what: '' | 'checked' | 'last'): string => `pg_catalog.set_config('codeblue.write', '${what}', true)`;

/**
 * A row in `open_write` queues the check at commit. PL/pgSQL prepares each expression anew in each transaction, and that, not what it computes, is what the fence
 * costs: what can be one expression is one. IF and assignments run without SPI; PERFORM would not.
 */
const guardWrite = `
declare state pg_catalog.text;
begin
  if ${remembered} <> '' then return null; end if;
  if (case when ${lasts(leaseUntil)} then ${remember('checked')} end) is null then perform codeblue.refuse_write(); end if;
  insert into codeblue.open_write default values;
  -- Constraints are immediate here: the check ran at once and was forgotten. It must run at commit, whatever the others do.
  if ${remembered} <> 'checked' then
    set constraints codeblue.check_at_commit deferred;
    state := ${remember('checked')};
    insert into codeblue.open_write default values;
  end if;
  return null;
end`;

const leased = `${leaseUntil} operator(pg_catalog.<) ${NEVER_LEASED_UNTIL}`;
const makesConstraintsImmediate = `(pg_catalog.strpos(pg_catalog.current_query(), 'onstraints') > 0
  or pg_catalog.strpos(pg_catalog.current_query(), 'ONSTRAINTS') > 0) is true`;
const young = `pg_catalog.now() > pg_catalog.clock_timestamp() - interval '1 second'`;

/**
 * Runs at commit, or earlier when somebody makes all constraints immediate. It stands first in the queue, and whatever else is deferred (foreign keys of
 * a bulk load, say) runs between it and the commit. So a transaction that is old enough to have much in the queue, and one in which constraints are
 * being made immediate, is checked a second time, after all that is queued now. All others are done with one expression.
 *
 * Whoever renews the lease also removes the rows of `open_write`: that is cheaper in one sweep. Where nobody has ever renewed, each transaction removes
 * its own; where nobody renews any more, the database closes and none are added.
 */
const checkAtCommit = `
declare state pg_catalog.text;
begin
  if (case when ${lasts(leaseUntil)} and ${young} and not ${makesConstraintsImmediate} and ${leased}
      then ${remember('')} end) is not null then return null; end if;
  if not ${lasts(leaseUntil)} then perform codeblue.refuse_write(); end if;
  if not ${leased} then delete from codeblue.open_write where ctid = new.ctid; end if;
  if ${remembered} = 'last' or ${young} and not ${makesConstraintsImmediate} then
    state := ${remember('')};
  else
    state := ${remember('last')};
    set constraints codeblue.check_at_commit deferred;
    insert into codeblue.open_write default values;
  end if;
  return null;
end`;

/** SQLSTATE 25006, read_only_sql_transaction: what drivers and poolers take for "this is not the primary". */
const refuseWrite = `
declare
  epoch pg_catalog.int8;
  holder pg_catalog.text;
begin
  select l.epoch, l.holder into epoch, holder from codeblue.lease l;
  raise exception using errcode = '25006',
    message = pg_catalog.format('write refused: the lease of this database has ended (epoch %s, %s)',
      epoch, coalesce('last held by ' || holder, 'closed')),
    hint = 'Another Region may be active by now: connect again through the name that follows it.';
end`;

/**
 * A database that was closed to be replaced takes no lease from anybody who knows that the primaries of today were opened in that epoch or later: then its
 * replacement leads, and a connection that is kept open, or a name that still resolves to it, must not open it again. Whoever knows older primaries gives the lead
 * back to it: the replacement never came about. The mark reaches replicas with everything else, and is of one Region: a replica that is promoted in another, because
 * people accept what it lacks, is not the one that was replaced.
 *
 * The row is locked first: renewals and closings follow each other, and each sees what the one before it stored. The sequence is set last.
 */
const renewLease = `
declare
  stored pg_catalog.int8;
  replaced pg_catalog.bool;
  longest pg_catalog.int8 := until_micros;
begin
  select l.epoch, l.replaced_in <= primary_since and l.replaced_at = new_holder into strict stored, replaced from codeblue.lease l for update;
  if new_epoch < stored or replaced then return false; end if;
  if new_epoch = stored and stored > 0 then
    longest := greatest(until_micros, pg_catalog.pg_sequence_last_value('codeblue.lease_until'));
  end if;
  update codeblue.lease set epoch = new_epoch, holder = new_holder, renewed_at = pg_catalog.clock_timestamp(), replaced_in = null, replaced_at = null;
  perform pg_catalog.setval('codeblue.lease_until', longest);
  return true;
end`;

/**
 * The sequence shows the end at once, to running transactions too; the commit of this one makes it durable. A crash before it reports nothing. What was leased in
 * this very epoch is not closed for it: the closing is late, and the database is the new primary by now (a replacement has the old one's name). What was replaced is
 * not closed either: whoever asks means the primary, and a name that still leads here must not tell that the primary is closed.
 */
const closeLease = `
declare
  stored pg_catalog.int8;
  leased pg_catalog.bool;
  replaced pg_catalog.bool;
begin
  select l.epoch, l.holder is not null, l.replaced_in <= primary_since and l.replaced_at = stands_in into strict stored, leased, replaced from codeblue.lease l for update;
  if new_epoch < stored or new_epoch = stored and leased or replaced then return false; end if;
  update codeblue.lease set epoch = new_epoch, holder = null;
  perform pg_catalog.setval('codeblue.lease_until', 0);
  return true;
end`;

interface Routine {
  readonly name: string;
  readonly parameters: string;
  readonly returns: string;
  readonly body: string;
  /** Called by the triggers as whoever writes. */
  readonly anybody: boolean;
}

const routines: readonly Routine[] = [
  { name: 'refuse_write', parameters: '', returns: 'void', body: refuseWrite, anybody: true },
  { name: 'guard_write', parameters: '', returns: 'trigger', body: guardWrite, anybody: true },
  { name: 'check_write', parameters: '', returns: 'trigger', body: checkAtCommit, anybody: true },
  {
    ...{ name: 'renew_lease', parameters: 'new_epoch int8, new_holder text, until_micros int8, primary_since int8', returns: 'boolean' },
    ...{ body: renewLease, anybody: false },
  },
  {
    name: 'close_lease',
    parameters: 'new_epoch int8, primary_since int8, stands_in text',
    returns: 'boolean',
    body: closeLease,
    anybody: false,
  },
];

const createRoutine = ({ name, parameters, returns, body }: Routine): string =>
  `create or replace function codeblue.${name}(${parameters}) returns ${returns} language plpgsql as $codeblue$${body}$codeblue$`;

/** PUBLIC gets what the triggers do as whoever writes: read the lease, call the guard, leave a row without columns in `open_write`. */
const statements: readonly string[] = [
  'create schema if not exists codeblue',
  'grant usage on schema codeblue to public',
  `create table if not exists codeblue.lease (only_row boolean primary key default true check (only_row),
     epoch int8 not null default 0, holder text, closed_for int8, renewed_at timestamptz)`,
  'alter table codeblue.lease add column if not exists replaced_in int8, add column if not exists replaced_at text',
  'insert into codeblue.lease default values on conflict do nothing',
  'grant select on codeblue.lease to public',
  `create sequence if not exists codeblue.lease_until as int8 minvalue 0 maxvalue ${NEVER_LEASED_UNTIL} start ${NEVER_LEASED_UNTIL}`,
  `select setval('codeblue.lease_until', ${NEVER_LEASED_UNTIL}) from codeblue.lease
   where epoch = 0 and pg_sequence_last_value('codeblue.lease_until') is null`,
  'grant select on sequence codeblue.lease_until to public',
  // Truncating it would lock every writer out for a moment.
  'create unlogged table if not exists codeblue.open_write () with (vacuum_truncate = off)',
  'grant select, insert, delete on codeblue.open_write to public',
  ...routines.map(createRoutine),
  ...routines.map(({ name, parameters, anybody }) => {
    const types = parameters.replace(/\w+ (\w+)/g, '$1');
    return anybody
      ? `grant execute on function codeblue.${name}(${types}) to public`
      : `revoke all on function codeblue.${name}(${types}) from public`;
  }),
];

/** The check at commit hangs on `open_write`, so that an application's own tables never have pending trigger events, which would refuse its ALTER TABLE. */
const commitTrigger = [
  'drop trigger if exists check_at_commit on codeblue.open_write',
  `create constraint trigger check_at_commit after insert on codeblue.open_write
   deferrable initially deferred for each row execute function codeblue.check_write()`,
  'alter table codeblue.open_write enable always trigger check_at_commit',
];

const hasCommitTrigger = `exists (select from pg_trigger t where t.tgrelid = to_regclass('codeblue.open_write') and t.tgname = 'check_at_commit'
  and t.tgfoid = to_regprocedure('codeblue.check_write()') and t.tgenabled = 'A' and t.tgdeferrable and t.tginitdeferred and t.tgqual is null)`;

/** Changes with every definition above. */
function version(): string {
  return `fence ${createHash('sha256')
    .update(JSON.stringify([statements, commitTrigger]))
    .digest('hex')
    .slice(0, 16)}`;
}

/** One query when everything is there and as this version defines it, function bodies included. */
export async function isLeaseInstalled(session: SqlSession): Promise<boolean> {
  const [row] = await session.query(
    `select obj_description(to_regnamespace('codeblue'), 'pg_namespace') like '%' || $1
       and to_regclass('codeblue.lease') is not null and to_regclass('codeblue.lease_until') is not null
       and ${hasCommitTrigger}
       and (select count(*) = cardinality($2::text[]) from unnest($2::text[], $3::text[]) as e (name, body)
         join pg_proc p on p.proname = e.name and p.prosrc = e.body and p.pronamespace = to_regnamespace('codeblue')) as installed`,
    [version(), routines.map(({ name }) => name), routines.map(({ body }) => body)],
  );
  return row?.installed === 't';
}

/**
 * Creates the lease and the functions that the triggers call, in schema `codeblue`. Idempotent, also under concurrent calls; where everything is as it
 * should be it only reads. Locks nothing of the application. Needs CREATE on the database.
 *
 * @returns whether anything was changed
 */
export async function installLease(session: SqlSession): Promise<boolean> {
  if (await isLeaseInstalled(session)) return false;
  await session.query('begin');
  try {
    await session.query('select pg_advisory_xact_lock($1)', [INSTALL_LOCK]);
    for (const statement of statements) await session.query(statement);
    // Every writer holds a lock on this table: it is changed only where it must be.
    const [found] = await session.query(`select ${hasCommitTrigger} as present`);
    if (found?.present !== 't') for (const statement of commitTrigger) await session.query(statement);
    await session.query(`comment on schema codeblue is 'Codeblue, ${version()}'`);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch(() => []);
    throw error;
  }
  return true;
}
