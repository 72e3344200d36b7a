import { expect, test } from 'vitest';
import { canonicalText } from '../../../functions/common/canonical-json.ts';

test('sorts names by UTF-16 code units, and names that are numbers like any others', () => {
  // The names of RFC 8785, section 3.2.3, and two that JavaScript would put first.
  const given = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '10': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7, '1': 8, '9': 9 };
  expect(Object.keys(JSON.parse(canonicalText({ b: given }).replace(/"(\d+)"/g, '"n$1"')).b)).toEqual([
    ...['\r', 'n1', 'n10', 'n9', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'],
  ]);
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [{ '\udc00': 1 }], [undefined], [1n]])('refuses %o', (value) => {
  expect(() => canonicalText(value)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
});
