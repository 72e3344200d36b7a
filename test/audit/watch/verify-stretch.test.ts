import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogDamaged } from '../../../functions/audit/errors.ts';
import type { ReadObject } from '../../../functions/audit/log/append.ts';
import { authenticLog } from '../../../functions/audit/watch/authentic-log.ts';
import { LogRewritten } from '../../../functions/audit/watch/errors.ts';
import { stretchesOf, verifyStretch } from '../../../functions/audit/watch/verify-stretch.ts';
import { entriesNamed, type LogInMemory, logOf } from '../../support/log-objects.ts';

type Change = (bytes: Buffer) => Uint8Array | undefined;

const changed =
  (log: LogInMemory, at: string, change: Change): ReadObject =>
  async (path) => {
    const bytes = await log.read(path);
    return bytes && path === at ? change(Buffer.from(bytes)) : bytes;
  };

const flip =
  (byte: number, bit: number): Change =>
  (bytes) => {
    bytes[byte % bytes.length] = (bytes[byte % bytes.length] ?? 0) ^ (1 << bit);
    return bytes;
  };

/** A whole log, stretch by stretch; what its right edge shows counts as wrong, too. */
async function verified(log: LogInMemory, read: ReadObject = log.read): Promise<{ entries: number; wrong: readonly string[] }> {
  try {
    const opened = await authenticLog(read, { origin: 'a-log', size: log.edge.size, root: log.root });
    const stretches = await Promise.all(Array.from({ length: stretchesOf(opened) }, (_, stretch) => verifyStretch(opened, stretch)));
    const wrong = new Set(stretches.flatMap((stretch) => stretch.wrong));
    return { entries: stretches.reduce((sum, stretch) => sum + stretch.entries, 0), wrong: [...wrong] };
  } catch (error) {
    if (error instanceof LogRewritten || error instanceof LogDamaged) return { entries: 0, wrong: [error.message] };
    throw error;
  }
}

/** What the tree of the last checkpoint is made of: partial objects of older ones are not read any more. */
async function pathsOf(log: LogInMemory): Promise<readonly string[]> {
  const paths = new Set<string>();
  await verified(log, async (path) => {
    paths.add(path);
    return log.read(path);
  });
  return [...paths];
}

describe('a log, verified stretch by stretch', () => {
  const all = entriesNamed(66_000);
  const small = logOf(all.slice(0, 900), all.slice(900, 1400));
  /** A tile above a full tile above full tiles; five stretches. */
  const large = logOf(all.slice(0, 10_000), all.slice(10_000));

  it.each([0, 1, 255, 256, 257, 1400, 16_384, 16_385, 66_000])('of %i entries holds, with every entry read', async (size) => {
    expect(await verified(logOf(all.slice(0, size)))).toEqual({ entries: size, wrong: [] });
  });

  it('shows any single bit that was flipped, and names the object that it is in', async () => {
    const paths = await pathsOf(small);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), fc.nat({ max: 7 }), async (path, byte, bit) => {
        const { entries, wrong } = await verified(small, changed(small, path, flip(byte, bit)));
        expect(wrong).toHaveLength(1);
        expect(entries).toBeLessThan(1400);
        // Of the right edge only all tiles together can be judged.
        if (path.startsWith('tile/entries/') && !path.includes('.p/')) expect(wrong[0]).toMatch(new RegExp(`${path}|the bundle ends`));
        else if (!path.startsWith('tile/entries/') && !path.includes('.p/')) expect(wrong[0]).toContain(path);
      }),
      { numRuns: 300 },
    );
  });

  it('counts what is below a wrong tile as not verified, tells of the tile once, and reads the rest', async () => {
    expect(await verified(large, changed(large, 'tile/1/000', flip(9, 3)))).toEqual({
      entries: 66_000 - 65_536,
      wrong: ['tile/1/000 does not hash to the tile above it'],
    });
    expect(await verified(large, changed(large, 'tile/0/003', flip(9, 3)))).toEqual({
      entries: 66_000 - 256,
      wrong: ['tile/0/003 does not hash to the tile above it'],
    });
  });

  it('tells all of several', async () => {
    const bundle = changed(large, 'tile/entries/001', flip(8, 2));
    const { entries, wrong } = await verified(large, async (path) => (path === 'tile/0/200' ? undefined : bundle(path)));
    expect(entries).toBe(66_000 - 512);
    expect(wrong).toEqual(['tile/entries/001 does not hash to tile/0/001', 'tile/0/200 is missing, and no full one stands in its place']);
  });

  it('tells of whatever is missing, too short, or too long', async () => {
    const changes: readonly Change[] = [() => undefined, (bytes) => bytes.subarray(0, -1), (bytes) => Buffer.concat([bytes, Buffer.of(0)])];
    for (const path of await pathsOf(small))
      for (const change of changes) expect((await verified(small, changed(small, path, change))).wrong).toHaveLength(1);
  });

  it('shows that entries and tiles were changed together', async () => {
    const forged = logOf(all.slice(0, 800), [Buffer.from('forged')], all.slice(801, 1400));
    expect(await verified({ ...forged, root: small.root })).toEqual({ entries: 0, wrong: [expect.stringContaining('the signed root')] });
  });

  it('passes on that reading failed', async () => {
    const failing: ReadObject = async (path) => {
      if (path === 'tile/entries/002') throw new Error('no answer');
      return small.read(path);
    };
    await expect(verified(small, failing)).rejects.toThrow('no answer');
  });
});
