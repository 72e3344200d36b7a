import { createHash } from 'node:crypto';

/*
 * RFC 9162, section 2.1, word by word and slowly: what the fast code is compared with. Shares nothing with it.
 */
const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** MTH(D_n), over entries. */
export function slowRoot(entries: readonly Uint8Array[]): Buffer {
  const [only] = entries;
  if (only === undefined) return sha256();
  if (entries.length === 1) return sha256(Buffer.of(0), only);
  const k = slowSplit(entries.length);
  return sha256(Buffer.of(1), slowRoot(entries.slice(0, k)), slowRoot(entries.slice(k)));
}

/** PATH(m, D_n). */
export function slowPath(m: number, entries: readonly Uint8Array[]): readonly Buffer[] {
  if (entries.length <= 1) return [];
  const k = slowSplit(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m < k ? [...slowPath(m, left), slowRoot(right)] : [...slowPath(m - k, right), slowRoot(left)];
}

/** PROOF(m, D_n) for 0 < m < n. */
export const slowConsistency = (m: number, entries: readonly Uint8Array[]): readonly Buffer[] => subproof(m, entries, true);

function subproof(m: number, entries: readonly Uint8Array[], complete: boolean): readonly Buffer[] {
  if (m === entries.length) return complete ? [] : [slowRoot(entries)];
  const k = slowSplit(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m <= k ? [...subproof(m, left, complete), slowRoot(right)] : [...subproof(m - k, right, false), slowRoot(left)];
}

const slowSplit = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1);
