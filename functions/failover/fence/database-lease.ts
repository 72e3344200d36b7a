import { z } from 'zod';
import { Conflict } from '../../common/errors.ts';
import { Region } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import type { SqlSession } from '../../verify/ports.ts';
import { Epoch } from '../models.ts';
import type { Closing, LeaseGiven } from '../ports.ts';
import { drainWriters } from './drain-writers.ts';

/** The lease of one database of a server. */
export interface DatabaseLease {
  readonly epoch: Epoch;
  readonly holder: Region | undefined;
  readonly untilMicros: number;
  readonly closedFor: Epoch | undefined;
  readonly replacedIn: Epoch | undefined;
  /** By the database's own clock. */
  readonly lasts: boolean;
}

/** Integers of this size print exactly and fit a JavaScript number: the sequence's maximum is the largest that does. */
const Integer = z.coerce.number().pipe(z.int());
const Row = z.object({
  epoch: Integer.pipe(Epoch),
  holder: z.union([Region, z.null()]),
  closed_for: z.union([z.null(), Integer.pipe(Epoch)]),
  replaced_in: z.union([z.null(), Integer.pipe(Epoch)]),
  until_micros: Integer,
  now_micros: Integer,
});

export const nowMicros = `(extract(epoch from clock_timestamp()) * 1000000)::int8`;

/** Undefined where no fence was installed. */
export async function readLease(session: SqlSession): Promise<DatabaseLease | undefined> {
  const [found] = await session.query(`select to_regprocedure('codeblue.guard_write()') is not null as installed`);
  if (found?.installed !== 't') return undefined;
  // `replaced_in` came later: a fence of an earlier version is read as well, until it is completed.
  const [row] = await session.query(
    `select epoch, holder, closed_for, (to_jsonb(l) ->> 'replaced_in') as replaced_in, coalesce(pg_sequence_last_value('codeblue.lease_until'), 0) as until_micros, ${nowMicros} as now_micros
     from codeblue.lease l`,
  );
  const lease = parseAs(Row, row, 'the row of codeblue.lease');
  return {
    epoch: lease.epoch,
    holder: lease.holder ?? undefined,
    untilMicros: lease.until_micros,
    closedFor: lease.closed_for ?? undefined,
    replacedIn: lease.replaced_in ?? undefined,
    lasts: lease.until_micros > lease.now_micros,
  };
}

/** False when the database has seen a later epoch. Also sweeps up what guarded transactions left since the last renewal. */
export async function renewLease(session: SqlSession, { epoch, holder, untilMicros, primarySince }: LeaseGiven): Promise<boolean> {
  const [row] = await session.query('select codeblue.renew_lease($1, $2, $3, $4) as renewed', [
    epoch,
    holder,
    untilMicros,
    primarySince ?? 0,
  ]);
  if (row?.renewed !== 't') return false;
  await session.query('delete from codeblue.open_write');
  return true;
}

/**
 * Closes, waits until nobody is left who could still commit a write, and then writes the mark. Repeating it is no error.
 *
 * @throws Conflict when the database has seen a later epoch, or was opened for this one meanwhile; ServiceUnavailable when a writer could not be ended
 */
export async function closeLease(session: SqlSession, epoch: Epoch, { replaced, primarySince, region }: Closing): Promise<void> {
  const [row] = await session.query('select codeblue.close_lease($1, $2, $3) as closed', [epoch, primarySince ?? 0, region ?? null]);
  if (row?.closed !== 't') throw new Conflict(`the database has seen a lease of epoch ${epoch} or of a later one, or was replaced`);
  await drainWriters(session);
  const mark = `update codeblue.lease set closed_for = $1${replaced ? ', replaced_in = $1, replaced_at = $2' : ''} where epoch = $1 and holder is null returning epoch`;
  const marked = await session.query(mark, replaced ? [epoch, region ?? null] : [epoch]);
  if (marked.length === 0) throw new Conflict(`the database was opened while it was being closed for epoch ${epoch}`);
}
