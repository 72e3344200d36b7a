import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { append, emptyEdge, type RightEdge, readRightEdge } from '../../../functions/audit/log/append.ts';
import { entriesIn } from '../../../functions/audit/log/bundles.ts';
import { entriesNamed, logOf } from '../../support/log-objects.ts';
import { slowRoot } from '../../support/slow-tree.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const inHex = ({ size, bundle, tiles }: RightEdge) => ({ size, bundle: hex(bundle), tiles: tiles.map(hex) });

/** Entries cut into batches. */
const batches = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 6 }).map((lengths) => {
  const all = entriesNamed(lengths.reduce((sum, length) => sum + length, 0));
  let from = 0;
  return lengths.map((length) => {
    const batch = all.slice(from, from + length);
    from += length;
    return batch;
  });
});

describe('append', () => {
  it('has the root of RFC 9162 for every size up to three bundles and around the borders of tiles', () => {
    const all = entriesNamed(800);
    for (const size of [0, 1, 2, 3, 5, 8, 100, 255, 256, 257, 511, 512, 513, 640, 768, 769, 800])
      expect(hex(append(emptyEdge, all.slice(0, size)).root), String(size)).toBe(hex(slowRoot(all.slice(0, size))));
  });

  it('makes the same tree of any split into batches, and the same full tiles and bundles', () => {
    fc.assert(
      fc.property(batches, (split) => {
        const [inParts, atOnce] = [logOf(...split), logOf(split.flat())];
        expect(hex(inParts.root)).toBe(hex(slowRoot(split.flat())));
        expect(inParts.edge.tiles.map(hex)).toEqual(atOnce.edge.tiles.map(hex));
        expect(hex(inParts.edge.bundle)).toBe(hex(atOnce.edge.bundle));
        const kept = ({ objects }: typeof atOnce) =>
          [...objects.values()].filter(({ keeping }) => keeping === 'kept').map(({ path, bytes }) => `${path} ${hex(bytes)}`);
        expect(kept(inParts).sort()).toEqual(kept(atOnce).sort());
      }),
      { numRuns: 40 },
    );
  });

  it('goes on from what is stored as from what it knew', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (split) => {
        const log = logOf(...split);
        expect(inHex(await readRightEdge(log.read, log.edge.size))).toEqual(inHex(log.edge));
      }),
      { numRuns: 20 },
    );
  });

  it('keeps no bundle where the last one is full', async () => {
    const { edge, read } = logOf(entriesNamed(300), entriesNamed(212));
    expect(edge.bundle).toHaveLength(0);
    expect(inHex(await readRightEdge(read, 512))).toEqual(inHex(edge));
  });

  it('writes a tree of 70 000 as the specification of tlog-tiles says', () => {
    const { objects } = append(emptyEdge, entriesNamed(70_000));
    const at = (prefix: string) => objects.filter(({ path }) => path.startsWith(prefix));
    expect(at('tile/0/').filter(({ keeping }) => keeping === 'kept')).toHaveLength(273);
    expect(at('tile/entries/').filter(({ keeping }) => keeping === 'kept')).toHaveLength(273);
    const partial = objects.filter(({ keeping }) => keeping === 'superseded').map(({ path, bytes }) => [path, bytes.length]);
    expect(partial.filter(([path]) => !String(path).startsWith('tile/entries/'))).toEqual([
      ['tile/0/273.p/112', 112 * 32],
      ['tile/1/001.p/17', 17 * 32],
      ['tile/2/000.p/1', 32],
    ]);
    expect(at('tile/1/000')).toHaveLength(1);
    expect(objects.flatMap(({ path, bytes }) => (path.startsWith('tile/entries/') ? entriesIn(bytes) : []))).toHaveLength(70_000);
  });

  it('writes a full tile and a partial one above it for 256 entries', () => {
    expect(append(emptyEdge, entriesNamed(256)).objects.map(({ path, keeping }) => `${path} ${keeping}`)).toEqual([
      'tile/entries/000 kept',
      'tile/0/000 kept',
      'tile/1/000.p/1 superseded',
    ]);
  });

  it('refuses an entry that no bundle can hold', () => {
    expect(() => append(emptyEdge, [new Uint8Array(65_536)])).toThrow('at most 65535 bytes');
    expect(append(emptyEdge, [new Uint8Array(65_535)]).size).toBe(1);
  });
});
