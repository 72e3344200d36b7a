import { describe, expect, it } from 'vitest';
import { append, emptyEdge } from '../../../functions/audit/log/append.ts';
import { emptyRoot, leafHash, nodeHash } from '../../../functions/audit/log/merkle.ts';
import { consistencyProof, inclusionProof, isConsistent, isIncluded } from '../../../functions/audit/log/proofs.ts';
import { logOf } from '../../support/log-objects.ts';

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

/*
 * The tree of Certificate Transparency's own tests (merkle_tree_test of google/certificate-transparency, also merkletesting of transparency-dev/merkle): eight entries,
 * the roots of its eight sizes, and published proofs.
 */
const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((each) =>
  Buffer.from(each, 'hex'),
);
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const inclusion: readonly (readonly [index: number, size: number, proof: readonly string[]])[] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const consistency: readonly (readonly [from: number, to: number, proof: readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

describe('the tree of Certificate Transparency', () => {
  it('has its published roots', () => {
    expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(append(emptyEdge, []).root)).toBe(hex(emptyRoot));
    expect(hex(leafHash(Buffer.alloc(0)))).toBe(roots[0]);
    expect(hex(leafHash(Buffer.from('L123456')))).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
    expect(hex(nodeHash(Buffer.from('N123'.padEnd(32)), Buffer.from('N456'.padEnd(32))))).toBe(
      // printf "\001%-32s%-32s" N123 N456 | sha256sum
      '088f4e8f49abf7b0ebdb91284da439e278fd9b2ade2b127e12a311e378855d2e',
    );
    expect(roots.map((_, n) => hex(append(emptyEdge, entries.slice(0, n + 1)).root))).toEqual(roots);
  });

  it.each(inclusion)('proves entry %i of %i as published', async (index, size, published) => {
    const { read, root } = logOf(entries.slice(0, size));
    const proof = await inclusionProof(read, index, size);
    expect(proof.map(hex)).toEqual(published);
    expect(isIncluded({ index, size, proof, root, leafHash: leafHash(entries[index] ?? Buffer.of()) })).toBe(true);
  });

  it.each(consistency)('proves %i to be the beginning of %i as published', async (from, to, published) => {
    const { read, root } = logOf(entries.slice(0, to));
    const proof = await consistencyProof(read, from, to);
    expect(proof.map(hex)).toEqual(published);
    expect(isConsistent({ from, to, proof, fromRoot: Buffer.from(roots[from - 1] ?? '', 'hex'), toRoot: root })).toBe(true);
  });
});
