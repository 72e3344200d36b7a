import { type FluxEntry, hashId, unpackFlux } from './flux.ts';
import type { TableInspection } from './inspection.ts';
import type { TableManifest } from './manifest.ts';
import { tableId } from './tables.ts';

/** What differs in one table: `rows` by their number, `content` by their values. Empty lists mean equal. */
export interface RowDifferences {
  readonly rows: readonly string[];
  readonly content: readonly string[];
}

/**
 * Compares a table of the copy with the manifest. Pure. Let S be the instant of the copy; then, of the rows that the manifest saw,
 * - stable ones are in the copy, and nothing else settled is: counts and both sums are equal;
 * - recent ones that nothing touched are in the copy with the same hashes, and so are the untouched twins of touched rows;
 * - touched ones are there with the same hashes (touched after S), or their key belongs to a recent row (updated before S), or no row with
 *   their key survived S (deleted before). One that survives and is nowhere was lost.
 * A table without a key cannot tell an updated row from a lost one; docs/verification.md says so.
 */
export function compareRows(manifest: TableManifest, copy: TableInspection | undefined): RowDifferences {
  const table = tableId(manifest);
  if (!copy) return both(`${table} is missing`);
  const unread = unreadable(manifest, copy);
  if (unread !== undefined) return { rows: [], content: [`${table}: ${unread}`] };
  const rows: string[] = [];
  const content: string[] = [];
  const surplus = BigInt(copy.settled.count) - BigInt(manifest.stable.count);
  if (surplus !== 0n) rows.push(`${table}: ${surplus > 0n ? surplus : -surplus} settled rows ${surplus > 0n ? 'too many' : 'missing'}`);
  if (copy.settled.sum1 !== manifest.stable.sum1 || copy.settled.sum2 !== manifest.stable.sum2) {
    content.push(`${table}: the values of settled rows are not those of the live database`);
  }
  const flux = compareFlux(unpackFlux(manifest.flux), unpackFlux(copy.recent), unpackFlux(copy.matched));
  if (flux.changed > 0) content.push(`${table}: ${flux.changed} rows that nothing touched are missing or changed`);
  if (flux.lost > 0) rows.push(`${table}: ${flux.lost} rows that were being changed are lost`);
  if (flux.extra > 0) rows.push(`${table}: ${flux.extra} rows appear more often than in the live database`);
  return { rows, content };
}

const both = (finding: string): RowDifferences => ({ rows: [finding], content: [finding] });

function unreadable(manifest: TableManifest, copy: TableInspection): string | undefined {
  if (copy.unread !== undefined) return `it could not be read: ${copy.unread}`;
  if (manifest.unread !== undefined) return `the manifest could not read it: ${manifest.unread}; take a new backup`;
  if (manifest.overflowed) return 'too many of its rows changed while the manifest was taken; take a new backup at a quieter time';
  if (copy.overflowed)
    return 'it holds too many rows that were written during the backup to tell them apart; take a new backup at a quieter time';
  return undefined;
}

interface FluxDifferences {
  /** Recent rows, and twins of touched ones, that nothing touched and that are not in the copy as they were. */
  readonly changed: number;
  /** Touched rows that live on and are nowhere in the copy. */
  readonly lost: number;
  /** Settled rows of the copy beyond the listed copies of a touched row. */
  readonly extra: number;
}

function compareFlux(listed: readonly FluxEntry[], recent: readonly FluxEntry[], matched: readonly FluxEntry[]): FluxDifferences {
  const recentLeft = countedBy(recent);
  const matchedLeft = countedBy(matched);
  const recentKeys = new Set(recent.flatMap((row) => (row.key === null ? [] : [row.key])));
  let changed = 0;
  let lost = 0;
  // Untouched rows take their copies first: a touched twin may be gone, they may not.
  for (const entry of listed) {
    if (entry.touched) continue;
    changed += entry.copies - take(entry.recent ? recentLeft : matchedLeft, hashId(entry), entry.copies);
  }
  for (const entry of listed) {
    if (!entry.touched || take(entry.recent ? recentLeft : matchedLeft, hashId(entry), 1) === 1) continue;
    const updated = entry.key !== null && recentKeys.has(entry.key);
    if (!updated && entry.survives) lost++;
  }
  const extra = [...matchedLeft.values()].reduce((sum, count) => sum + count, 0);
  return { changed, lost, extra };
}

function countedBy(rows: readonly FluxEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(hashId(row), (counts.get(hashId(row)) ?? 0) + 1);
  return counts;
}

/** Takes up to `wanted` rows of that content. @returns how many there were */
function take(counts: Map<string, number>, id: string, wanted: number): number {
  const left = counts.get(id) ?? 0;
  const taken = Math.min(left, wanted);
  counts.set(id, left - taken);
  return taken;
}
