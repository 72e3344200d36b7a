import { hash } from 'node:crypto';
import { HASH_BYTES, TILE_WIDTH } from './models.ts';

/*
 * Hashes of RFC 6962 (RFC 9162, section 2.1). A tree of a million entries takes two million hashes, so what counts is the cost of a call:
 * `hash(…, 'binary')` gives a string of 32 characters without a Buffer of its own, a third of the time of `createHash`. Inner nodes are hashed out of one work area with
 * room for the prefix before each pair, so nothing is allocated for a node. The work area is written and read within one synchronous call.
 */
const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;
const PAIR_BYTES = 1 + 2 * HASH_BYTES;

const work = Buffer.alloc((TILE_WIDTH / 2) * PAIR_BYTES);
const pairs = Array.from({ length: TILE_WIDTH / 2 }, (_, pair) => {
  work[pair * PAIR_BYTES] = NODE_PREFIX;
  return work.subarray(pair * PAIR_BYTES, (pair + 1) * PAIR_BYTES);
});

/** Where the n-th hash of a level stands in the work area. */
const slot = (n: number): number => (n >> 1) * PAIR_BYTES + 1 + (n & 1) * HASH_BYTES;

/** The prefix, and room for the longest entry that a bundle can hold. */
const entryArea = Buffer.alloc(1 + 0xff_ff, LEAF_PREFIX);
/** Its beginnings, by the length of the entry: a log's entries have few. */
const prefixedEntries = new Map<number, Uint8Array>();

function prefixedEntry(length: number): Uint8Array {
  const known = prefixedEntries.get(length);
  if (known) return known;
  const made = entryArea.subarray(0, 1 + length);
  prefixedEntries.set(length, made);
  return made;
}

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'binary');

/** Root of a tree without entries: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = Buffer.from(sha256(new Uint8Array()), 'latin1');

/** SHA-256(0x00 || entry), 32 bytes. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const prefixed = Buffer.allocUnsafe(1 + entry.length);
  prefixed[0] = LEAF_PREFIX;
  prefixed.set(entry, 1);
  return Buffer.from(sha256(prefixed), 'latin1');
}

/** SHA-256(0x01 || left || right), 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  work.set(left, slot(0));
  work.set(right, slot(1));
  return Buffer.from(sha256(work.subarray(0, PAIR_BYTES)), 'latin1');
}

/**
 * Hashes of a bundle's entries (each after its length, big-endian uint16), one after another.
 *
 * @param hashes at most so many are made; the bundle must hold that many
 */
export function leafHashesOf(bundle: Uint8Array, hashes: number): Uint8Array {
  const entries = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.length);
  const leaves = Buffer.allocUnsafe(hashes * HASH_BYTES);
  for (let leaf = 0, at = 0; leaf < hashes; leaf += 1) {
    const length = entries.readUInt16BE(at);
    entries.copy(entryArea, 1, at + 2, at + 2 + length);
    leaves.write(sha256(prefixedEntry(length)), leaf * HASH_BYTES, HASH_BYTES, 'latin1');
    at += 2 + length;
  }
  return leaves;
}

/**
 * Root over hashes of one level, one after another (32 bytes each, 1 to 256 of them). The last may stand for fewer entries than the others: whoever has no
 * neighbour goes up as it is, which is what RFC 9162's split at the largest power of two comes to.
 */
export function rootOf(hashes: Uint8Array): Uint8Array {
  let width = hashes.length / HASH_BYTES;
  if (width === 1) return Buffer.from(hashes);
  const given = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length);
  for (let n = 0; n < width; n += 2) given.copy(work, slot(n), n * HASH_BYTES, (n + 2) * HASH_BYTES);
  for (; width > 1; width = (width + 1) >> 1) {
    for (let n = 0; n < width >> 1; n += 1) work.write(sha256(pairs[n] ?? work), slot(n), HASH_BYTES, 'latin1');
    if (width & 1) work.copyWithin(slot(width >> 1), slot(width - 1), slot(width - 1) + HASH_BYTES);
  }
  return Buffer.from(work.subarray(slot(0), slot(0) + HASH_BYTES));
}
