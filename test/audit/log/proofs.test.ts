import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, nodeHash } from '../../../functions/audit/log/merkle.ts';
import { consistencyProof, inclusionProof, isConsistent, isIncluded, rootAt } from '../../../functions/audit/log/proofs.ts';
import { entriesNamed, logOf } from '../../support/log-objects.ts';
import { slowConsistency, slowPath, slowRoot } from '../../support/slow-tree.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const LARGEST = 1400;
const all = entriesNamed(LARGEST);
const roots = new Map<number, Uint8Array>();
const rootOfFirst = (size: number): Uint8Array => {
  const known = roots.get(size) ?? slowRoot(all.slice(0, size));
  roots.set(size, known);
  return known;
};
/** With partial tiles of several sizes left standing. */
const log = logOf(all.slice(0, 7), all.slice(7, 300), all.slice(300, 301), all.slice(301, 1000), all.slice(1000));

const size = fc.oneof(fc.integer({ min: 1, max: LARGEST }), fc.constantFrom(1, 2, 255, 256, 257, 511, 512, 513, 1024, 1399, 1400));

describe('inclusion', () => {
  it('is proven as RFC 9162 says, in trees of every size', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), async (entries, pick) => {
        const index = pick % entries;
        const { read } = logOf(all.slice(0, entries));
        const proof = await inclusionProof(read, index, entries);
        expect(proof.map(hex)).toEqual(slowPath(index, all.slice(0, entries)).map(hex));
        expect(isIncluded({ index, size: entries, proof, leafHash: leafHash(all[index] ?? Buffer.of()), root: rootOfFirst(entries) })).toBe(
          true,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('is not shown by a proof that was changed anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: LARGEST - 1 }), fc.nat(), fc.nat({ max: 255 }), async (index, pick, bit) => {
        const proof = await inclusionProof(log.read, index, LARGEST);
        const claim = { index, size: LARGEST, proof, leafHash: leafHash(all[index] ?? Buffer.of()), root: log.root };
        const which = pick % proof.length;
        expect(isIncluded(claim)).toBe(true);
        expect(isIncluded({ ...claim, proof: proof.map((hash, at) => (at === which ? flipped(hash, bit) : hash)) })).toBe(false);
        expect(isIncluded({ ...claim, proof: proof.toSpliced(which, 1) })).toBe(false);
        expect(isIncluded({ ...claim, proof: proof.toSpliced(which, 0, log.root) })).toBe(false);
        expect(isIncluded({ ...claim, root: flipped(log.root, bit) })).toBe(false);
        expect(isIncluded({ ...claim, leafHash: flipped(claim.leafHash, bit) })).toBe(false);
        for (const other of [index + 1, index - 1, index ^ 256, pick % LARGEST])
          if (other !== index) expect(isIncluded({ ...claim, index: other })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('wants an entry that the tree has', async () => {
    await expect(inclusionProof(log.read, LARGEST, LARGEST)).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(isIncluded({ index: 0, size: 0, proof: [], leafHash: log.root, root: log.root })).toBe(false);
    expect(isIncluded({ index: 0, size: 1, proof: [], leafHash: log.root, root: log.root })).toBe(true);
  });

  it('is not shown for a tree of another height, or a place outside the tree', () => {
    const [leaf, sibling] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
    const pair = nodeHash(sibling, leaf);
    const claim = { index: 1, size: 2, leafHash: leaf, proof: [sibling], root: pair };
    expect(isIncluded(claim)).toBe(true);
    expect(isIncluded({ ...claim, index: 0, size: 1 })).toBe(false);
    for (const size of [3, 4, 5, 8]) expect(isIncluded({ ...claim, size }), String(size)).toBe(false);
    expect(isIncluded({ index: 1, size: 1, leafHash: leaf, proof: [], root: leaf })).toBe(false);
    expect(isIncluded({ index: -1, size: 1, leafHash: leaf, proof: [], root: leaf })).toBe(false);
    expect(isIncluded({ index: 0.5, size: 1, leafHash: leaf, proof: [], root: leaf })).toBe(false);
  });

  it('reads no more than two tiles a level', async () => {
    const paths: string[] = [];
    await inclusionProof(
      async (path) => {
        paths.push(path);
        return log.read(path);
      },
      600,
      LARGEST,
    );
    expect(paths.sort()).toEqual(['tile/0/002', 'tile/0/005.p/120', 'tile/1/000.p/5']);
  });
});

describe('consistency', () => {
  it('is proven as RFC 9162 says, between trees of any two sizes', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const { read } = logOf(all.slice(0, to));
        const proof = await consistencyProof(read, from, to);
        if (from < to) expect(proof.map(hex)).toEqual(slowConsistency(from, all.slice(0, to)).map(hex));
        expect(isConsistent({ from, to, proof, fromRoot: rootOfFirst(from), toRoot: rootOfFirst(to) })).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('is not shown by a proof that was changed anywhere, nor by sizes that are not those of the roots', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: LARGEST - 1 }), fc.nat(), fc.nat({ max: 255 }), async (from, pick, bit) => {
        const proof = await consistencyProof(log.read, from, LARGEST);
        const claim = { from, to: LARGEST, proof, fromRoot: rootOfFirst(from), toRoot: log.root };
        const which = pick % proof.length;
        expect(isConsistent(claim)).toBe(true);
        expect(isConsistent({ ...claim, proof: proof.map((hash, at) => (at === which ? flipped(hash, bit) : hash)) })).toBe(false);
        expect(isConsistent({ ...claim, proof: proof.toSpliced(which, 1) })).toBe(false);
        expect(isConsistent({ ...claim, proof: proof.toSpliced(which, 0, log.root) })).toBe(false);
        expect(isConsistent({ ...claim, fromRoot: flipped(claim.fromRoot, bit) })).toBe(false);
        expect(isConsistent({ ...claim, toRoot: flipped(claim.toRoot, bit) })).toBe(false);
        expect(isConsistent({ ...claim, proof: [] })).toBe(false);
        expect(isConsistent({ ...claim, to: LARGEST * 2 })).toBe(false);
        const other = pick % LARGEST;
        if (other !== from) expect(isConsistent({ ...claim, from: other })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('holds between a tree and itself, and from the empty tree to any, without a proof', () => {
    const [root, other] = [rootOfFirst(5), rootOfFirst(6)];
    const empty = slowRoot([]);
    expect(isConsistent({ from: 5, to: 5, proof: [], fromRoot: root, toRoot: root })).toBe(true);
    expect(isConsistent({ from: 5, to: 5, proof: [], fromRoot: root, toRoot: other })).toBe(false);
    expect(isConsistent({ from: 0, to: 5, proof: [], fromRoot: empty, toRoot: root })).toBe(true);
    expect(isConsistent({ from: 0, to: 5, proof: [], fromRoot: root, toRoot: root })).toBe(false);
    expect(isConsistent({ from: 0, to: 0, proof: [], fromRoot: empty, toRoot: root })).toBe(false);
    expect(isConsistent({ from: 6, to: 5, proof: [], fromRoot: other, toRoot: root })).toBe(false);
  });
});

describe('rootAt', () => {
  it('is the root of any beginning of the tree that is stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: LARGEST }), async (entries) => {
        expect(hex(await rootAt(log.read, entries, LARGEST))).toBe(hex(rootOfFirst(entries)));
      }),
      { numRuns: 40 },
    );
  });

  it('reads the full tile where the partial one is gone', async () => {
    const full = logOf(all);
    expect(full.objects.has('tile/0/001.p/44')).toBe(false);
    const kept = async (path: string) => (path === 'tile/1/000.p/1' ? log.read(path) : full.read(path));
    expect(hex(await rootAt(kept, 300))).toBe(hex(rootOfFirst(300)));
  });

  it('tells which tile is missing', async () => {
    const without = async (path: string) => (path === 'tile/0/003' ? undefined : log.read(path));
    await expect(inclusionProof(without, 800, LARGEST)).rejects.toMatchObject({
      name: 'LogDamaged',
      message: expect.stringContaining('tile/0/003'),
    });
  });
});

function flipped(hash: Uint8Array, bit: number): Uint8Array {
  const changed = Buffer.from(hash);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}
