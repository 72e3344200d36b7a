import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBody } from '../../../functions/audit/events/event.ts';
import { canonicalJson } from '../../../functions/audit/events/leaf.ts';
import { aBody } from '../../support/audit-events.ts';

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
  ])('writes the number %s as %s', (bits, written) => expect(canonicalize(doubleOf(bits))).toBe(written));

  it.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('has no form for %s', (bits) =>
    expect(() => canonicalize(doubleOf(bits))).toThrow(),
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
    const values = [...(canonicalize(sample) ?? '').matchAll(/":"([^"]+)"/g)].map(([, value]) => value);
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
    expect(Buffer.from(canonicalize(sample) ?? '').toString('hex')).toBe(
      [
        '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e',
        '756d62657273223a5b3333333333333333332e333333333333332c31652b3330',
        '2c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac24',
        '5c75303030665c6e4127425c225c5c5c5c5c222f227d',
      ].join(''),
    );
  });

  it('has no form for half a character', () => expect(() => canonicalize('\ud800')).toThrow());
});

describe('canonicalJson', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 40, unit: 'grapheme' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );

  it('is the same for the same event, in whatever order its members came, and is read back as it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), value, { maxKeys: 8 }), (details) => {
        const body = aBody(1, { details });
        const text = canonicalJson(body);
        const shuffled = EventBody.parse(
          Object.fromEntries(Object.entries({ ...body, details: Object.fromEntries(Object.entries(details).reverse()) }).reverse()),
        );
        expect(canonicalJson(shuffled)).toBe(text);
        expect(canonicalJson(EventBody.parse(JSON.parse(text)))).toBe(text);
      }),
    );
  });

  it('tells any two events apart', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const texts = [one, other].map((each) => canonicalJson(aBody(1, { details: { each } })));
        expect(texts[0] === texts[1]).toBe(one === other || (Object.is(one, -0) && other === 0) || (one === 0 && Object.is(other, -0)));
      }),
    );
  });
});
