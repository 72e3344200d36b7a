import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../functions/common/canonical-json.ts';

/** The number that an IEEE 754 double of these bits is. */
const doubleOf = (bits: string): number => Buffer.from(bits, 'hex').readDoubleBE();

describe('canonical JSON, by the vectors that RFC 8785 publishes', () => {
  // Appendix B: bits of the double, and how it is written.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the number %s as %s', (bits, written) => expect(canonicalText(doubleOf(bits))).toBe(written));

  it.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('has no form for %s', (bits) =>
    expect(() => canonicalText(doubleOf(bits))).toThrow(),
  );

  it('sorts names by UTF-16 code units (section 3.2.3)', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const values = [...canonicalText(sample).matchAll(/":"([^"]+)"/g)].map(([, value]) => value);
    expect(values).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it('writes the sample of section 3.2 byte for byte (3.2.4)', () => {
    const sample = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(Buffer.from(canonicalText(sample)).toString('hex')).toBe(
      [
        '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e',
        '756d62657273223a5b3333333333333333332e333333333333332c31652b3330',
        '2c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24',
        '5c75303030665c6e4127425c225c5c5c5c5c222f227d',
      ].join(''),
    );
  });
});

const refusal = expect.objectContaining({ name: 'InvalidInput' });

it.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [{ '\udc00': 1 }], [['\\', '\\\udfff']], [undefined], [1n], [() => 1]])(
  'has no canonical form for %o',
  (value) => expect(() => canonicalText(value)).toThrow(refusal),
);

it.each([['\\ud800'], [{ '\\\\udc00': '\\\\\\udbff' }], ['\ud83d\ude00']])('takes what only looks like half a character: %j', (value) =>
  expect(JSON.parse(canonicalText(value))).toEqual(value),
);

it("is, for any value, what the RFC's own reference implementation makes of it", () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', 'u', 'd', '8', '0', '"', '\ud800', '\udc00') }),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, fc.double(), text, fc.constantFrom(null, true, -0, undefined), tie('list'), tie('record')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    record: fc.dictionary(fc.oneof(text, fc.constantFrom('10', '9', 'a', 'B')), tie('value'), { maxKeys: 40 }),
  }));
  const or = (canonical: () => string | undefined): string | undefined => {
    try {
      return canonical();
    } catch {
      return undefined;
    }
  };
  fc.assert(
    fc.property(value, (each) => {
      expect(or(() => canonicalText(each))).toBe(or(() => canonicalize(each)));
    }),
    { numRuns: 2000 },
  );
});
