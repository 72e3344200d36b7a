import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBody } from '../../../functions/audit/events/event.ts';
import { canonicalJson } from '../../../functions/audit/events/leaf.ts';
import { aBody } from '../../support/audit-events.ts';

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
