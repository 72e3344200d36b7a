import { InvalidInput } from '../../common/errors.ts';
import type { SqlSession } from '../../verify/ports.ts';
import { type Fork, fullXid } from './fork.ts';

/** Ids in one question: a megabyte of text. */
const IDS_AT_A_TIME = 100_000;

const tooLate = (what: string): InvalidInput =>
  new InvalidInput(`the new primary has forgotten ${what}: it cannot be told any more which transactions had arrived`, {
    hint: 'PostgreSQL forgets how a transaction ended some 200 million transactions later. Compare the kept copy of the old primary by hand.',
  });

/** @throws InvalidInput when the promotion is so long ago that the new primary does not know any more how transactions ended then */
export async function requireMemoryOf(fork: Fork, current: SqlSession): Promise<void> {
  const [row] = await current.query('select pg_xact_status($1::xid8) is null as forgotten', [String(fork.firstOwn - 1n)]);
  if (row?.forgotten === 't') throw tooLate('the time of the promotion');
}

/**
 * Which of these transactions of the old primary never arrived? `xmins` as rows show them, `next` the old primary's next id.
 *
 * Not being in the snapshot of the promotion is enough, and is not all: a transaction that had begun before the cut and committed after it has an
 * id below the snapshot's end, and the promoted server's snapshot does not name it, because promotion ends all that ran. How it ended is
 * in the promoted server's transaction log: `committed` only if the commit had arrived. That holds for subtransactions too.
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
    else if (fork.endedBelow === undefined || xid >= fork.endedBelow) before.set(String(xid), xmin);
  }
  const straddling: string[] = [];
  const ids = [...before.keys()];
  for (let from = 0; from < ids.length; from += IDS_AT_A_TIME) {
    const rows = await current.query(
      `select xid, status is null as forgotten from
         (select xid, pg_xact_status(xid::xid8) as status from unnest($1::text[]) xid offset 0) s
       where status <> 'committed' or (status is null and $2::int4 = 1)`,
      [ids.slice(from, from + IDS_AT_A_TIME), fork.endedBelow === undefined ? 0 : 1],
    );
    for (const { xid, forgotten } of rows) {
      if (forgotten === 't') throw tooLate('a transaction that ran during the promotion');
      const xmin = before.get(xid ?? '');
      if (xmin !== undefined) straddling.push(xmin);
    }
  }
  return { later, straddling };
}
