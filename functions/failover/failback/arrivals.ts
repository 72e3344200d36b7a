import { InvalidInput } from '../../common/errors.ts';
import type { SqlSession } from '../../verify/ports.ts';
import { type Fork, fullXid } from './fork.ts';

/** Ids in one question: a megabyte of text. */
const IDS_AT_A_TIME = 100_000;

/** @throws InvalidInput when the promotion is so long ago that the new primary does not know any more how transactions ended then */
export async function requireMemoryOf(fork: Fork, current: SqlSession): Promise<void> {
  const [row] = await current.query('select pg_xact_status($1::xid8) is null as forgotten', [String(fork.firstOwn - 1n)]);
  if (row?.forgotten !== 't') return;
  throw new InvalidInput(
    'the new primary has forgotten the time of its promotion: it cannot be told any more which transactions had arrived',
    {
      hint: 'PostgreSQL forgets how a transaction ended some 200 million transactions later. Compare the kept copy of the old primary by hand.',
    },
  );
}

/**
 * Which of these transactions of the old primary never arrived? `xmins` as rows show them, `next` the old primary's next id.
 *
 * Not being in the snapshot of the promotion is enough, and is not all: a transaction that had begun before the cut and committed after it has an
 * id below the snapshot's end, and the promoted server's snapshot does not name it, because promotion ends all that ran. How it ended is
 * in the promoted server's transaction log: `committed` only if the commit had arrived. That holds for subtransactions too. What the log has no
 * memory of is older than every row that is not frozen on all of its databases, and counts as arrived.
 */
export async function notArrived(
  xmins: readonly string[],
  { fork, current, next }: { readonly fork: Fork; readonly current: SqlSession; readonly next: bigint },
): Promise<{ readonly later: readonly string[]; readonly straddling: readonly string[] }> {
  const later: string[] = [];
  const before = new Map<string, string>();
  for (const xmin of xmins) {
    const xid = fullXid(xmin, next);
    if (xid === undefined) continue;
    if (xid >= fork.firstOwn) later.push(xmin);
    else before.set(String(xid), xmin);
  }
  const straddling: string[] = [];
  const ids = [...before.keys()];
  for (let from = 0; from < ids.length; from += IDS_AT_A_TIME) {
    const rows = await current.query(`select xid from unnest($1::text[]) xid where pg_xact_status(xid::xid8) <> 'committed'`, [
      ids.slice(from, from + IDS_AT_A_TIME),
    ]);
    straddling.push(...rows.flatMap((row) => before.get(row.xid ?? '') ?? []));
  }
  return { later, straddling };
}
