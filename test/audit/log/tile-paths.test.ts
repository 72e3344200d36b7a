import { describe, expect, it } from 'vitest';
import { bundleOf, entriesIn } from '../../../functions/audit/log/bundles.ts';
import { bundlePath, tileLevels, tilePath, tileWidth } from '../../../functions/audit/log/tile-paths.ts';

describe('paths of C2SP tlog-tiles', () => {
  it.each([
    [tilePath(0, 1_234_067), 'tile/0/x001/x234/067'],
    [tilePath(0, 0), 'tile/0/000'],
    [tilePath(63, 999), 'tile/63/999'],
    [tilePath(1, 1000), 'tile/1/x001/000'],
    [tilePath(0, 273, 112), 'tile/0/273.p/112'],
    [tilePath(2, 0, 1), 'tile/2/000.p/1'],
    [bundlePath(1_234_067), 'tile/entries/x001/x234/067'],
    [bundlePath(1_234_067, 255), 'tile/entries/x001/x234/067.p/255'],
  ])('%s', (path, expected) => expect(path).toBe(expected));

  it.each([
    () => tilePath(64, 0),
    () => tilePath(-1, 0),
    () => tilePath(0, -1),
    () => tilePath(0, 1.5),
    () => tilePath(0, 0, 0),
    () => bundlePath(0, 257),
  ])('refuses what is no place in a tree: %s', (path) => expect(path).toThrow(expect.objectContaining({ name: 'InvalidInput' })));

  it('knows the tiles of a tree of 70 000: the example of the specification', () => {
    expect(tileLevels(70_000)).toBe(3);
    expect([tileWidth(70_000, 0, 272), tileWidth(70_000, 0, 273), tileWidth(70_000, 0, 274)]).toEqual([256, 112, 0]);
    expect([tileWidth(70_000, 1, 0), tileWidth(70_000, 1, 1), tileWidth(70_000, 2, 0), tileWidth(70_000, 3, 0)]).toEqual([256, 17, 1, 0]);
    expect([tileLevels(0), tileLevels(1), tileLevels(255), tileLevels(256)]).toEqual([0, 1, 1, 2]);
  });
});

describe('entry bundles', () => {
  it('hold each entry after its length', () => {
    const entries = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(300, 7)];
    const bundle = Buffer.from(bundleOf(entries));
    expect(bundle.subarray(0, 5).toString('hex')).toBe('0001610000');
    expect(bundle.subarray(5, 8).toString('hex')).toBe('012c07');
    expect(entriesIn(bundle).map((entry) => Buffer.from(entry).toString('hex'))).toEqual(entries.map((entry) => entry.toString('hex')));
  });

  it('are refused when the last entry is cut off', () => {
    const bundle = bundleOf([Buffer.from('abc'), Buffer.from('def')]);
    for (const bytes of [1, 4, 6, 9])
      expect(() => entriesIn(bundle.subarray(0, bytes)), String(bytes)).toThrow(expect.objectContaining({ name: 'LogDamaged' }));
    expect(entriesIn(bundle.subarray(0, 5))).toHaveLength(1);
  });
});
