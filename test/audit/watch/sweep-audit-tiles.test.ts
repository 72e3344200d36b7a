import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { removableWidths, tileAt } from '../../../functions/audit/watch/sweep-plan.ts';
import { freshState, primary, type WatchedWorld, watchedWorld } from './watched-world.ts';

const day = 86_400;

describe('what may be swept of a tile', () => {
  it.each([
    ['what a wider one took the place of', { index: 0, widths: [3, 17, 40] }, 40, [3, 17]],
    ['everything partial once the full one is there', { index: 0, widths: [3, 17, 256] }, 300, [3, 17]],
    ['nothing as wide as the tree needs, nor wider', { index: 0, widths: [17, 40, 90] }, 17, []],
    ['nothing when what took its place is not stored', { index: 0, widths: [3, 17] }, 40, []],
    ['nothing of a tile that the tree has not yet', { index: 1, widths: [3, 17] }, 256, []],
    ['what is narrower than the tree needs, when only a wider one is left', { index: 0, widths: [3, 256] }, 40, [3]],
  ])('is %s', (_, { index, widths }, size, removable) => {
    expect(removableWidths({ path: `tile/0/00${index}`, level: 0, index, widths }, size)).toEqual(removable);
  });

  it('never is what a tree of that size or a larger one needs', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: 2000 }));
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 0, max: 7 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 256 })),
        ([size, more], index, widths) => {
          const removed = removableWidths({ path: '', level: 0, index, widths }, size);
          const needed = Math.max(0, Math.min(256, size + more - index * 256));
          expect(removed).not.toContain(needed);
        },
      ),
    );
  });

  it('knows tiles and bundles by their paths, and nothing else', () => {
    expect(tileAt('tile/0/x001/x234/067.p/17')).toEqual({ full: 'tile/0/x001/x234/067', level: 0, index: 1_234_067, width: 17 });
    expect(tileAt('tile/entries/003')).toEqual({ full: 'tile/entries/003', level: 0, index: 3, width: 256 });
    for (const path of ['checkpoint', 'verifier-key', 'tile/0', 'tile/0/000.p', 'tile/entries/0000']) expect(tileAt(path)).toBeUndefined();
  });
});

describe('the sweep of superseded tiles', () => {
  let world: WatchedWorld;
  const partial = () => [...world.versions.keys()].filter((key) => key.includes('.p/'));
  beforeEach(async () => {
    world = watchedWorld(freshState(), { batchLimit: 50 });
    await world.record(0, 320);
    await world.sequence();
  });

  it('removes nothing while it is locked', async () => {
    const before = partial();
    world.clock.advance(day);
    expect(await world.sweep()).toMatchObject({ removed: 0 });
    expect(partial()).toEqual(before);
  });

  it('leaves the present tree whole, and nothing that it does not need', async () => {
    world.clock.advance(3 * day);
    const { removed } = await world.sweep();
    expect(removed).toBeGreaterThan(10);
    expect(partial().sort()).toEqual(
      [`${primary} 1/tile/0/001.p/64`, `${primary} 1/tile/1/000.p/1`, `${primary} 1/tile/entries/001.p/64`].sort(),
    );
    expect(await world.check()).toMatchObject({ findings: [], entries: 320 });
    expect(await world.verify()).toMatchObject({ findings: [] });
  });

  it('keeps what a reader may still need who took the checkpoint before the newest one', async () => {
    world.clock.advance(3 * day);
    await world.record(320, 5);
    await world.sequence();
    await world.sweep();
    expect(partial()).toContain(`${primary} 1/tile/0/001.p/64`);
    world.clock.advance(3 * day);
    await world.sweep();
    expect(partial()).not.toContain(`${primary} 1/tile/0/001.p/64`);
  });

  it('does not mislead a watch that saw the tree before the sweep', async () => {
    await world.check();
    for (let round = 0; round < 4; round++) {
      world.clock.advance(3 * day);
      await world.record(1000 + round * 40, 40);
      await world.sequence();
      world.clock.advance(3 * day);
      await world.sweep();
    }
    expect((await world.check()).findings).toEqual([]);
  });

  it('tells in an act how many it removed', async () => {
    world.clock.advance(3 * day);
    const { planned, removed } = await world.sweep();
    const acts = (await world.portsIn(primary).auditLog.recent(new Date(0), 100)).filter(({ action }) => action === 'sweep-audit-tiles');
    expect(acts.map(({ phase, details }) => ({ phase, details }))).toEqual([
      { phase: 'outcome', details: { planned, removed, locked: 0 } },
      { phase: 'intent', details: { planned } },
    ]);
  });
});
