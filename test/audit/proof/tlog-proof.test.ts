import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTlogProof, parseTlogProofs } from '../../../functions/audit/proof/tlog-proof.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const checkpoint = fc.constantFrom(
  'example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/fancylog hI2DJw==\n',
  // An origin that looks like the beginning of a proof, an extension line, and cosignatures.
  'c2sp.org/tlog-proof@v1\n0\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\nindex 3\n\n— a.example hI2DJwAA\n— w.example mJirIkljAAAA\n',
);
const proof = fc.record(
  { extra: fc.uint8Array({ minLength: 1, maxLength: 90 }), index: fc.maxSafeNat(), proof: fc.array(hash, { maxLength: 63 }), checkpoint },
  { requiredKeys: ['index', 'proof', 'checkpoint'] },
);
const plain = (each: ReturnType<typeof parseTlogProofs>[number]) =>
  JSON.stringify({ ...each, extra: each.extra && [...each.extra], proof: each.proof.map((one) => [...one]) });

describe('a .tlog-proof', () => {
  it('is read as it was written, one or several after another', () => {
    fc.assert(
      fc.property(fc.array(proof, { minLength: 1, maxLength: 4 }), (proofs) => {
        expect(parseTlogProofs(proofs.map(formatTlogProof).join('')).map(plain)).toEqual(proofs.map(plain));
      }),
    );
  });

  it('has the lines of the specification', () => {
    const text = formatTlogProof({
      extra: Buffer.from('hello'),
      index: 73_894,
      proof: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
      checkpoint: 'example.com/log\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/log hI2DJw==\n',
    });
    expect(text.split('\n')).toEqual([
      'c2sp.org/tlog-proof@v1',
      'extra aGVsbG8=',
      'index 73894',
      'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=',
      'AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=',
      '',
      'example.com/log',
      '109482',
      'sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=',
      '',
      '— example.com/log hI2DJw==',
      '',
    ]);
  });

  const good = formatTlogProof({ index: 1, proof: [Buffer.alloc(32)], checkpoint: 'a\n2\nb\n\n— a hI2DJw==\n' });
  it.each([
    ['nothing', ''],
    ['another version', good.replace('@v1', '@v2')],
    ['an index with a leading zero', good.replace('index 1', 'index 01')],
    ['no index', good.replace('index 1\n', '')],
    ['an index that no number holds', good.replace('index 1', 'index 9999999999999999')],
    ['extra that is no base64', good.replace('index', 'extra !\nindex')],
    ['extra without anything', good.replace('index', 'extra\nindex')],
    ['a hash of 31 bytes', good.replace('A'.repeat(43), Buffer.alloc(31).toString('base64').slice(0, -1))],
    ['a hash that is written otherwise', good.replace('AAA=', 'AAB=')],
    ['64 hashes', good.replace(/A{43}=\n/, `${'A'.repeat(43)}=\n`.repeat(64))],
    ['no checkpoint', good.split('\n\n')[0] ?? ''],
    ['its end cut off', good.slice(0, -1)],
    ['something after it', `${good}more\n`],
    ['carriage returns', good.replaceAll('\n', '\r\n')],
  ])('is refused with %s', (_, text) => expect(() => parseTlogProofs(text)).toThrow(expect.objectContaining({ name: 'InvalidInput' })));
});
