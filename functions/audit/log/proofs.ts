import { InvalidInput } from '../../common/errors.ts';
import type { ReadObject } from './append.ts';
import { emptyRoot, nodeHash, rootOf } from './merkle.ts';
import { HASH_BYTES, TILE_WIDTH } from './models.ts';
import { readTile } from './tiles.ts';

/** Levels of the binary tree in one tile. */
const TILE_HEIGHT = 8;

/** Entries from `from` up to `until`, not included; `from` is a multiple of the least power of two that is no less than their number. */
interface Range {
  readonly from: number;
  readonly until: number;
}

/** A complete subtree: 2^height entries, the index-th of that height. */
interface Subtree {
  readonly height: number;
  readonly index: number;
}

/**
 * Proof that entry `index` is in the tree of `size` entries: sibling hashes from the leaf up (RFC 9162, 2.1.3). Reads two tiles a level at most.
 *
 * @throws InvalidInput when there is no such entry. @throws LogDamaged when a tile is missing
 */
export async function inclusionProof(read: ReadObject, index: number, size: number): Promise<readonly Uint8Array[]> {
  if (!isCount(index) || !isCount(size) || index >= size) throw new InvalidInput(`a tree of ${size} entries has no entry ${index}`);
  return hashesOf(read, pathRanges(index, { from: 0, until: size }), size);
}

/**
 * Proof that the tree of `from` entries is the beginning of the one of `to` (RFC 9162, 2.1.4). Empty where one of them is empty or they are the same.
 *
 * @throws InvalidInput when `from` is larger. @throws LogDamaged
 */
export async function consistencyProof(read: ReadObject, from: number, to: number): Promise<readonly Uint8Array[]> {
  if (!isCount(from) || !isCount(to) || from > to) throw new InvalidInput(`a tree of ${to} entries has no beginning of ${from}`);
  if (from === 0 || from === to) return [];
  return hashesOf(read, consistencyRanges(from, { from: 0, until: to }, true), to);
}

/**
 * Root of the first `size` entries.
 *
 * @param within size of a tree whose tiles are stored: an older size's partial tiles may be gone
 * @throws LogDamaged
 */
export async function rootAt(read: ReadObject, size: number, within: number = size): Promise<Uint8Array> {
  if (!isCount(size) || !isCount(within) || size > within)
    throw new InvalidInput(`a tree of ${within} entries has no beginning of ${size}`);
  const [root] = size === 0 ? [emptyRoot] : await hashesOf(read, [{ from: 0, until: size }], within);
  return root ?? emptyRoot;
}

/** Whether the proof leads from the leaf's hash to the root (RFC 9162, 2.1.3.2). */
export function isIncluded(claim: {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}): boolean {
  const { index, size, proof } = claim;
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([claim.leafHash, claim.root, ...proof])) return false;
  let [node, last] = [index, size - 1];
  let hash = claim.leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSame(hash, claim.root);
}

/** Whether the proof shows the older tree to be the beginning of the newer one (RFC 9162, 2.1.4.2). */
export function isConsistent(claim: {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { from, to, fromRoot, toRoot, proof } = claim;
  if (!isCount(from) || !isCount(to) || from > to || !areHashes([fromRoot, toRoot, ...proof])) return false;
  if (to === 0 && !isSame(toRoot, emptyRoot)) return false;
  if (from === 0) return proof.length === 0 && isSame(fromRoot, emptyRoot);
  if (from === to) return proof.length === 0 && isSame(fromRoot, toRoot);
  const [first, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  if (!first || proof.length === 0) return false;
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [older, newer] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [older, newer] = [nodeHash(sibling, older), nodeHash(sibling, newer)];
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else {
      newer = nodeHash(newer, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSame(older, fromRoot) && isSame(newer, toRoot);
}

/** PATH of RFC 9162: the other half at each split, from the leaf up. */
function pathRanges(index: number, { from, until }: Range): readonly Range[] {
  if (until - from === 1) return [];
  const middle = from + splitOf(until - from);
  return index < middle
    ? [...pathRanges(index, { from, until: middle }), { from: middle, until }]
    : [...pathRanges(index, { from: middle, until }), { from, until: middle }];
}

/** SUBPROOF of RFC 9162. @param whole the older root is known to whoever verifies, as long as the older tree is a whole subtree */
function consistencyRanges(size: number, { from, until }: Range, whole: boolean): readonly Range[] {
  if (size === until) return whole ? [] : [{ from, until }];
  const middle = from + splitOf(until - from);
  return size <= middle
    ? [...consistencyRanges(size, { from, until: middle }, whole), { from: middle, until }]
    : [...consistencyRanges(size, { from: middle, until }, false), { from, until: middle }];
}

/** Roots of ranges of a stored tree. Every tile is read once, all at a time. */
async function hashesOf(read: ReadObject, ranges: readonly Range[], size: number): Promise<readonly Uint8Array[]> {
  const reads = new Map<string, Promise<readonly [string, Uint8Array]>>();
  for (const subtree of ranges.flatMap(subtreesOf)) {
    const { key, level, tile } = tileOf(subtree);
    if (!reads.has(key))
      reads.set(
        key,
        readTile(read, level, tile, size).then((bytes) => [key, bytes] as const),
      );
  }
  const tiles = new Map(await Promise.all(reads.values()));
  return ranges.map((range) =>
    subtreesOf(range)
      .map((subtree) => {
        const { key, offset, width } = tileOf(subtree);
        return rootOf((tiles.get(key) ?? new Uint8Array()).subarray(offset * HASH_BYTES, (offset + width) * HASH_BYTES));
      })
      .reduceRight((right, left) => nodeHash(left, right)),
  );
}

/** The complete subtrees that a range is made of, the largest first. */
function subtreesOf({ from, until }: Range): readonly Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = from; at < until; ) {
    let [height, entries] = [0, 1];
    while (entries * 2 <= until - at) [height, entries] = [height + 1, entries * 2];
    subtrees.push({ height, index: at / entries });
    at += entries;
  }
  return subtrees;
}

/** Where the hashes are that a complete subtree is computed from: `width` of them in one tile. */
function tileOf({ height, index }: Subtree) {
  const level = Math.floor(height / TILE_HEIGHT);
  const width = 2 ** (height % TILE_HEIGHT);
  const tile = Math.floor((index * width) / TILE_WIDTH);
  return { key: `${level} ${tile}`, level, tile, offset: index * width - tile * TILE_WIDTH, width };
}

/** Largest power of two that is less than `entries`. */
function splitOf(entries: number): number {
  let split = 1;
  while (split * 2 < entries) split *= 2;
  return split;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const half = (value: number): number => Math.floor(value / 2);
const areHashes = (all: readonly Uint8Array[]): boolean => all.every((hash) => hash.length === HASH_BYTES);
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}
