import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadObject } from '../../../functions/audit/log/append.ts';
import { scanLog } from '../../../functions/audit/log/scan.ts';
import { entriesNamed, type LogInMemory, logOf } from '../../support/log-objects.ts';
import { slowRoot } from '../../support/slow-tree.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What the tree of the last checkpoint is made of: partial objects of older ones are not read any more. */
const pathsOf = async (log: LogInMemory): Promise<readonly string[]> => {
  const paths: string[] = [];
  await scanLog(
    async (path) => {
      paths.push(path);
      return log.read(path);
    },
    log.edge.size,
    { root: log.root },
  );
  return paths;
};

const changed =
  (log: LogInMemory, at: string, change: (bytes: Buffer) => Uint8Array | undefined): ReadObject =>
  async (path) => {
    const bytes = await log.read(path);
    return bytes && path === at ? change(Buffer.from(bytes)) : bytes;
  };
const flip = (byte: number, bit: number) => (bytes: Buffer) => {
  bytes[byte % bytes.length] = (bytes[byte % bytes.length] ?? 0) ^ (1 << bit);
  return bytes;
};

describe('scanLog', () => {
  const all = entriesNamed(66_000);
  const small = logOf(all.slice(0, 900), all.slice(900, 1400));
  /** Two full tiles of level 1 would be 131 072 entries; one and a bit of the next are enough to have a tile above a full tile above full tiles. */
  const large = logOf(all.slice(0, 10_000), all.slice(10_000));

  it('reads every object of the tree once, and every entry in order', async () => {
    const seen: string[] = [];
    const paths: string[] = [];
    const { root, entries, found } = await scanLog(
      async (path) => {
        paths.push(path);
        return large.read(path);
      },
      large.edge.size,
      {
        root: large.root,
        onEntries: (first, some) => {
          expect(first).toBe(seen.length);
          seen.push(...some.map((entry) => Buffer.from(entry).toString()));
        },
      },
    );
    expect([hex(root), entries, found]).toEqual([hex(large.root), 66_000, 0]);
    expect(seen).toEqual(all.map(String));
    expect(new Set(paths).size).toBe(paths.length);
    const ofTheTree = [...large.objects.values()].filter(({ path, keeping }) => keeping === 'kept' || paths.includes(path));
    expect(paths.sort()).toEqual(ofTheTree.map(({ path }) => path).sort());
  });

  it.each([0, 1, 255, 256, 257, 512, 1400])('has the root of RFC 9162 for %i entries', async (size) => {
    const log = logOf(all.slice(0, size));
    expect(await scanLog(log.read, size, { root: log.root })).toEqual({ root: expect.anything(), entries: size, findings: [], found: 0 });
    expect(hex((await scanLog(log.read, size)).root)).toBe(hex(slowRoot(all.slice(0, size))));
  });

  it('finds any single bit that was flipped, and names the object that it is in', async () => {
    const paths = await pathsOf(small);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), fc.nat({ max: 7 }), async (path, byte, bit) => {
        const { findings } = await scanLog(changed(small, path, flip(byte, bit)), small.edge.size, { root: small.root });
        expect(findings.map((finding) => finding.path)).toEqual([path]);
        expect(findings[0]?.what).toMatch(/altered|malformed/);
      }),
      { numRuns: 300 },
    );
  });

  it('finds it in tiles of every level, and leaves all others alone', async () => {
    for (const path of ['tile/0/003', 'tile/0/257.p/208', 'tile/1/000', 'tile/1/001.p/1', 'tile/2/000.p/1', 'tile/entries/012']) {
      const { findings } = await scanLog(changed(large, path, flip(9, 3)), large.edge.size, { root: large.root });
      expect(findings.map((finding) => finding.path)).toEqual([path]);
    }
  });

  it('names the entry that was changed', async () => {
    const change = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('entry 1033 ', 'entry 1833 '), 'latin1');
    const { findings, root } = await scanLog(changed(small, 'tile/entries/004', change), small.edge.size, { root: small.root });
    expect(findings).toEqual([expect.objectContaining({ path: 'tile/entries/004', what: 'altered', entry: 1033 })]);
    expect(hex(root)).not.toBe(hex(small.root));
  });

  it('tells what is missing, of the wrong length, and longer than its entries', async () => {
    const told = async (path: string, change: (bytes: Buffer) => Uint8Array | undefined) =>
      (await scanLog(changed(small, path, change), small.edge.size, { root: small.root })).findings.map(
        ({ what, path: at }) => `${at} ${what}`,
      );
    for (const path of await pathsOf(small)) {
      expect(await told(path, () => undefined)).toEqual([`${path} missing`]);
      expect(await told(path, (bytes) => bytes.subarray(0, -1))).toEqual([`${path} malformed`]);
      expect(await told(path, (bytes) => Buffer.concat([bytes, Buffer.of(0)]))).toEqual([`${path} malformed`]);
    }
  });

  it('goes on with the hashes of the tile where a bundle is missing', async () => {
    const without = changed(small, 'tile/entries/002', () => undefined);
    const { root, entries } = await scanLog(without, small.edge.size, { root: small.root });
    expect([hex(root), entries]).toEqual([hex(small.root), 1400 - 256]);
  });

  it('tells all of several, each where it is', async () => {
    const bundle = changed(small, 'tile/entries/001', flip(8, 2));
    const both: ReadObject = async (path) => (path === 'tile/0/003' ? undefined : bundle(path));
    const { findings, found } = await scanLog(both, small.edge.size, { root: small.root });
    expect(findings.map(({ path, what }) => `${path} ${what}`)).toEqual(['tile/entries/001 altered', 'tile/0/003 missing']);
    expect(found).toBe(2);
  });

  it('shows a root that is not the checkpoint when entry and tiles were changed together', async () => {
    const forged = logOf(all.slice(0, 800), [Buffer.from('forged')], all.slice(801, 1400));
    const { root, found } = await scanLog(forged.read, 1400, { root: small.root });
    expect(found).toBe(0);
    expect(hex(root)).not.toBe(hex(small.root));
  });

  it('does not decide about the right edge without a root', async () => {
    const { findings } = await scanLog(changed(small, 'tile/0/005.p/120', flip(40, 0)), small.edge.size);
    expect(findings).toEqual([expect.objectContaining({ path: 'tile/entries/005.p/120', what: 'undecided', entry: 1281 })]);
  });

  it('begins where it is told to, and has the same root', async () => {
    for (const from of [256, 300, 1399, 1400, 65_536, 65_999]) {
      const log = from > 1400 ? large : small;
      let first: number | undefined;
      const { root, found, entries } = await scanLog(log.read, log.edge.size, {
        root: log.root,
        from,
        onEntries: (at) => {
          first ??= at;
        },
      });
      expect([hex(root), found, first]).toEqual([hex(log.root), 0, Math.floor(from / 256) * 256]);
      expect(entries).toBe(log.edge.size - Math.floor(from / 256) * 256);
    }
  });

  it('lists a thousand findings and counts the others', async () => {
    const nothing = await scanLog(async () => undefined, 66_000);
    expect([nothing.findings.length, nothing.found, nothing.entries]).toEqual([2 * 258 + 3, 2 * 258 + 3, 0]);
    const garbage = await scanLog(async (path) => (path.includes('entries') ? large.read(path) : Buffer.alloc(8192)), 66_000, {
      root: large.root,
    });
    expect([garbage.findings.length, garbage.found > 1000]).toEqual([1000, true]);
  });

  it('passes on that reading failed', async () => {
    const failing: ReadObject = async (path) => {
      if (path === 'tile/entries/002') throw new Error('no answer');
      return small.read(path);
    };
    await expect(scanLog(failing, small.edge.size)).rejects.toThrow('no answer');
  });
});
