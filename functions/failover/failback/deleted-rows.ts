import { rowHash } from '../../verify/row-hash.ts';
import { readOnce } from '../../verify/scan.ts';
import { qualified } from '../../verify/session.ts';
import type { TableShape } from '../../verify/tables.ts';
import { isSince } from './fork.ts';
import { givenKeys, hasGivenKey, here, keyItems, keyOf, keyValues } from './key-columns.ts';
import { type BothSides, keyObject, type LostWrite, type TablePair } from './losing-table.ts';
import { ROWS_AT_A_TIME, required, rowsOf, wholeRows } from './row-query.ts';

/** Blocks of 8 kB compared at a time, and into how many parts a stretch is taken apart that differs. */
const STRETCH_BLOCKS = 4096;
const PARTS = 8;
/** A stretch so short is looked at row by row: at most some 18 000 of them. */
const SHORT_BLOCKS = 64;

/** Contents of a table without a key that are counted at a time. */
const CONTENTS_LIMIT = 1_000_000;

/** A pair with a table on both sides. */
type Both = TablePair & { readonly current: TableShape };

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** More rows of a table without a key differ than can be counted. */
export class TooManyDifferences extends Error {}

/**
 * Rows that the new primary had at the promotion, has not changed since, and the old primary has no more. A row that the new primary has
 * changed since cannot be told from one that it inserted: it lives on, and is not listed.
 *
 * Rows that neither side touched lie in the same places with the same `xmin`, because one server was a physical copy of the other: where the sums
 * over both are equal nothing was deleted, and such stretches, nearly all of a large table, cost one reading. Where they differ (also
 * because somebody rewrote the table) the rows are compared by key, or by content in a table without one.
 *
 * @throws TooManyDifferences, SqlFailed, ServiceUnavailable
 */
export async function* deletedRows(
  sides: BothSides,
  pair: Both,
  straddling: ReadonlySet<string>,
  beforeStretch: () => void,
): AsyncGenerator<readonly LostWrite[]> {
  const condition = arrivedOn(sides, straddling);
  const contents = new Map<string, number>();
  for await (const stretch of differing(sides, pair, condition.old, beforeStretch)) {
    if (pair.key.current.length > 0) yield* deletedByKey(sides, pair, stretch, condition.current);
    else await countContents(sides, pair, stretch, condition, contents);
  }
  yield* deletedByContent(sides, pair, condition.current, contents);
}

/** SQL: the row version is one that both sides had at the promotion. */
function arrivedOn({ fork }: BothSides, straddling: ReadonlySet<string>): { readonly old: string; readonly current: string } {
  const current = `not ${isSince(fork)}`;
  if (straddling.size === 0) return { old: current, current };
  return { old: `${current} and xmin <> all ('{${[...straddling].join(',')}}'::xid[])`, current };
}

const within = ({ from, to }: Stretch, condition: string): string =>
  `ctid >= '(${from},0)'::tid and ctid < '(${to},0)'::tid and ${condition}`;

/** Short stretches of the table that are not the same on both sides. */
async function* differing(sides: BothSides, pair: Both, oldCondition: string, beforeStretch: () => void): AsyncGenerator<Stretch> {
  const end = Math.max(pair.old.blocks, pair.current.blocks);
  const open: Stretch[] = [];
  for (let from = 0; from < end; from += STRETCH_BLOCKS) open.push({ from, to: Math.min(end, from + STRETCH_BLOCKS) });
  open.reverse();
  for (let stretch = open.pop(); stretch; stretch = open.pop()) {
    beforeStretch();
    const [old, current] = await Promise.all([
      sumOf(sides.old, pair.old, within(stretch, oldCondition)),
      sumOf(sides.current, pair.current, within(stretch, `not ${isSince(sides.fork)}`)),
    ]);
    if (old === current) continue;
    if (stretch.to - stretch.from <= SHORT_BLOCKS) yield stretch;
    else open.push(...[...partsOf(stretch)].reverse());
  }
}

function partsOf({ from, to }: Stretch): readonly Stretch[] {
  const step = Math.max(SHORT_BLOCKS, Math.ceil((to - from) / PARTS));
  const count = Math.ceil((to - from) / step);
  return Array.from({ length: count }, (_, index) => ({ from: from + index * step, to: Math.min(to, from + (index + 1) * step) }));
}

/** Number of rows and a sum over their places and transactions. */
async function sumOf(session: BothSides['old'], table: TableShape, where: string): Promise<string> {
  const text = `select count(*) || ' ' || coalesce(sum(hashtidextended(ctid, xmin::text::int8)), 0) as sum from only ${qualified(table)} where ${where}`;
  return required(await readOnce(session, text, []))[0]?.sum ?? '';
}

async function* deletedByKey(sides: BothSides, pair: Both, stretch: Stretch, condition: string): AsyncGenerator<readonly LostWrite[]> {
  const { old, current, functions } = sides;
  const keysText = `select ${keyItems(pair.key.current, 'here')} from ${here(pair.current)} where ${within(stretch, condition)}`;
  const keys = required(await readOnce(current, keysText, [])).map((row) => keyOf(pair.key.current, row));
  if (keys.length === 0) return;
  const absentText = `select given.place from ${givenKeys(pair.key.old)}
    where not exists (select from ${here(pair.old)} where ${hasGivenKey(pair.key.old)})`;
  const absent = required(await readOnce(old, absentText, keyValues(pair.key.old, keys)));
  const deleted = absent.flatMap(({ place }) => {
    const found = keys[Number(place) - 1];
    return found ? [found] : [];
  });
  const hash = rowHash(pair.current, functions.current);
  for (let from = 0; from < deleted.length; from += ROWS_AT_A_TIME) {
    const some = deleted.slice(from, from + ROWS_AT_A_TIME);
    const where = `${within(stretch, condition)} and exists (select from ${givenKeys(pair.key.current)} where ${hasGivenKey(pair.key.current)})`;
    const rows = required(
      await readOnce(current, wholeRows(pair.current, { hash, key: pair.key.current, where }), keyValues(pair.key.current, some)),
    );
    yield rows.map((row) => deletedRow(pair, row));
  }
}

const deletedRow = (pair: Both, row: Readonly<Record<string, string | null>>): LostWrite => ({
  kind: 'deleted',
  changedSince: false,
  key: keyObject(pair.key.current, keyOf(pair.key.current, row)),
  contentHash: `${row.h1},${row.h2}`,
  whole: row.whole ?? '{}',
});

/** How often each content is there on the new primary and not on the old one; negative the other way round. */
async function countContents(
  { old, current, functions }: BothSides,
  pair: Both,
  stretch: Stretch,
  condition: { readonly old: string; readonly current: string },
  contents: Map<string, number>,
): Promise<void> {
  const count = async (session: BothSides['old'], table: TableShape, hash: ReturnType<typeof rowHash>, where: string, step: number) => {
    const text = `select h1, h2 from (${wholeRows(table, { hash, key: [], where: within(stretch, where) })}) s`;
    for (const { h1, h2 } of required(await readOnce(session, text, []))) {
      const id = `${h1},${h2}`;
      const left = (contents.get(id) ?? 0) + step;
      if (left === 0) contents.delete(id);
      else contents.set(id, left);
    }
  };
  await count(current, pair.current, rowHash(pair.current, functions.current), condition.current, 1);
  await count(old, pair.old, rowHash(pair.old, functions.old), condition.old, -1);
  if (contents.size > CONTENTS_LIMIT) throw new TooManyDifferences();
}

async function* deletedByContent(
  { current, functions }: BothSides,
  pair: Both,
  condition: string,
  contents: ReadonlyMap<string, number>,
): AsyncGenerator<readonly LostWrite[]> {
  const left = new Map([...contents].filter(([, count]) => count > 0));
  if (left.size === 0) return;
  const text = `select * from (${wholeRows(pair.current, { hash: rowHash(pair.current, functions.current), key: [], where: condition })}) s
    where h1 = any ($1::int8[])`;
  for await (const rows of rowsOf(current, text, [[...left.keys()].map((id) => id.split(',')[0] ?? '')])) {
    const deleted = rows.filter(({ h1, h2 }) => {
      const count = left.get(`${h1},${h2}`) ?? 0;
      left.set(`${h1},${h2}`, count - 1);
      return count > 0;
    });
    yield deleted.map((row) => deletedRow(pair, row));
  }
}
