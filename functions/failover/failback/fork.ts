import { InvalidInput } from '../../common/errors.ts';

/**
 * Where the histories of two servers part: both had the same transactions up to the promotion of one of them. Transaction ids are 64-bit,
 * and of the whole server.
 */
export interface Fork {
  /** The first id that the promoted server can have given out itself: no transaction of the old primary from here on ever arrived. */
  readonly firstOwn: bigint;
}

/** @param snapshot  `pg_current_snapshot()` of the promoted database before its first write @throws InvalidInput */
export function forkOf(snapshot: string): Fork {
  const xmax = /^\d+:(\d+):[\d,]*$/.exec(snapshot)?.[1];
  if (xmax === undefined) throw new InvalidInput('the snapshot of the promotion is not one that PostgreSQL prints');
  return { firstOwn: BigInt(xmax) };
}

/** Ids in rows are the lower 32 bits. */
const BITS = 32;
/** 0 to 2 are no transactions: invalid, bootstrap, frozen. */
const FIRST_NORMAL = 3n;

/** As PostgreSQL stores it in a row. */
const lowXid = (xid: bigint): string => String(BigInt.asUintN(BITS, xid));

/**
 * The 64-bit id that a row's `xmin` stands for on a server whose next one is `next`: the newest below `next` with these lower bits.
 * Undefined for the ids that are no transactions.
 *
 * Exact for every row that is not frozen: those are never 2^31 transactions old. A frozen row keeps the number for ever, so after 2^32
 * transactions it names a later one; old-rows.ts sorts those few out.
 */
export function fullXid(xmin: string, next: bigint): bigint | undefined {
  const low = BigInt(xmin);
  if (low < FIRST_NORMAL) return undefined;
  const full = (BigInt.asUintN(64, next) & ~((1n << BigInt(BITS)) - 1n)) | low;
  const below = full < next ? full : full - (1n << BigInt(BITS));
  return below < 0n ? undefined : below;
}

/**
 * SQL: was this row version written after the fork, by the history of the server that is asked? age() counts back from the transaction's own
 * base, which is not below the snapshot. A frozen row of more than 2^31 transactions ago looks as if it came from the future, which is why
 * zero is the lower end; it is mistaken when its old number falls between the fork and now.
 */
export const isSince = (fork: Fork, xmin = 'xmin'): string =>
  `(age(${xmin}) > 0 and age(${xmin}) <= (select age('${lowXid(fork.firstOwn)}'::xid)))`;
