import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { commonAudit } from '../../../config/profiles/common-audit.ts';
import { acceptEvents, notJson } from '../../../functions/audit/events/accept.ts';
import { EVENT_LIMIT_BYTES } from '../../../functions/audit/events/event.ts';
import type { RejectionCode } from '../../../functions/audit/events/rejection.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { submitted } from '../../support/submitted-events.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const policy = { ...commonAudit, actions: ['bed.assign'] };
const accept = (given: unknown, more: { readonly handedOverAt?: Date } = {}) =>
  acceptEvents(given, { policy, now, submittedBy: 'arn:aws:iam::111122223333:role/registration', ...more });
const refusalOf = (given: unknown) => {
  const { accepted, rejected } = accept(given);
  expect(accepted).toEqual([]);
  return rejected[0];
};
const secondsFromNow = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

describe('an event that is as it must be', () => {
  it('is accepted as it was sent, with who handed it over', () => {
    const full = submitted({
      ipAddress: '2001:db8::1',
      userAgent: 'Räntgen/2 (Ward 7)',
      purpose: 'TREAT',
      patientRef: 'pat-19ab77',
      details: { ward: 'ward-7', items: 3, emergency: false, bed: null, note: 'Zeile eins\nZeile zwei 😀' },
    });
    const { accepted, rejected } = accept(full);
    expect(rejected).toEqual([]);
    const body = { ...full, submittedBy: 'arn:aws:iam::111122223333:role/registration' };
    expect(accepted).toEqual([{ index: 0, body, canonical: canonicalize(body) }]);
  });

  it('may have an action of the config', () => {
    expect(accept(submitted({ action: 'bed.assign' })).rejected).toEqual([]);
  });
});

const { userId: _, ...withoutUser } = submitted();
const odd = (fields: object): unknown => ({ ...submitted(), ...fields });

const refusals: readonly (readonly [string, unknown, RejectionCode, RegExp])[] = [
  ['that is text', 'record.read', 'not-an-event', /got text of 11 characters; wanted: a JSON object/],
  ['that is nothing', null, 'not-an-event', /got null/],
  ['that is no JSON', notJson, 'not-json', /no JSON/],
  ['without a field', withoutUser, 'missing-field', /userId is missing; wanted: the opaque id .* Add it\./],
  ['with null for what is left out', odd({ patientRef: null }), 'invalid-field', /patientRef: got null; .* or leave it out/],
  ['with a field of its own', odd({ diagnosis: 'C50.9' }), 'unknown-field', /a field is none of the contract.* into details/],
  ['with a name that JavaScript knows', JSON.parse(`{"__proto__": 1, ${JSON.stringify(submitted()).slice(1)}`), 'unknown-field', /a field/],
  ['with such a name in its details', odd({ details: JSON.parse('{"__proto__": "x"}') }), 'unknown-field', /./],
  ['with an id in upper case', odd({ eventId: '0190A5C4-0000-4000-8000-000000000001' }), 'invalid-field', /eventId: got text of 36/],
  ['with a time to the second', odd({ at: '2026-11-21T12:00:00Z' }), 'invalid-field', /at: got text of 20 characters; .*millisecond/],
  ['with a time of a zone', odd({ at: '2026-11-21T12:00:00.000+01:00' }), 'invalid-field', /UTC/],
  ['with two lines in one', odd({ resource: 'Observation/1\nBcc: all' }), 'invalid-field', /resource: .*one line/],
  ['with an outcome of its own', odd({ outcome: 'ok' }), 'invalid-field', /outcome: .*denied/],
  ['with an address that is a name', odd({ ipAddress: 'ward7.example.org' }), 'invalid-field', /ipAddress: .*IPv6/],
  ['with a purpose of its own', odd({ purpose: 'CURIOUS' }), 'invalid-field', /PurposeOfUse/],
  ['with a patient by name', odd({ patientRef: 'Doe, Jane' }), 'invalid-field', /patientRef: got text of 9 characters/],
  ['with details that are a list', odd({ details: ['x'] }), 'invalid-field', /details: got a list of 1/],
  ['with details that nest', odd({ details: { a: 1, b: { c: 2 } } }), 'invalid-field', /details: got entry 2 with an object/],
  ['with a detail that is too long', odd({ details: { a: 'x'.repeat(4097) } }), 'invalid-field', /entry 1 with text of 4097 characters/],
  ['with a long name in its details', odd({ details: { ['x'.repeat(65)]: 1 } }), 'invalid-field', /entry 1 with a name of 65 characters/],
  ['with a number that JSON rounds', odd({ details: JSON.parse('{"mrn": 9007199254740993}') }), 'invalid-field', /not kept exactly/],
  ['with half of a character', odd({ details: { note: 'x\ud83d' } }), 'lone-surrogate', /details: got text with a lone surrogate/],
  ['with half of a character in a name', odd({ details: { '\udc00': 1 } }), 'lone-surrogate', /details/],
  ['with half of a character in a line', odd({ userId: '\ud83d' }), 'lone-surrogate', /userId/],
  ['from Codeblue', odd({ service: 'codeblue' }), 'reserved-service', /service: .*own name/],
  ["with an id of Codeblue's acts", odd({ eventId: '0190a5c4-0000-8000-8000-000000000001' }), 'id-version', /got a UUID of version 8/],
  ['with an id that is the hash of a name', odd({ eventId: '74738ff5-5367-5958-9aee-98fffdcd1876' }), 'id-version', /version 4 or 7/],
  ['with an action of its own', odd({ action: 'record.peek' }), 'unknown-action', /unknown one of 11 characters; .*audit\.actions/],
  ['from the future', odd({ at: secondsFromNow(301) }), 'clock-ahead', /301 s ahead .* 300 s at most\. Set .* NTP/],
  ['of long ago', odd({ at: secondsFromNow(-7 * 86_400 - 1) }), 'clock-behind', /604801 s before .* 604800 s at most/],
];

describe('an event is refused, with what was got, what is wanted and what to change', () => {
  it.each(refusals)('%s', (_name, given, code, reason) => {
    expect(refusalOf(given)).toMatchObject({ index: 0, code, reason: expect.stringMatching(reason) });
  });

  it('whose canonical JSON has a byte more than 64 KB', () => {
    const details = Object.fromEntries(Array.from({ length: 15 }, (_each, index) => [`d${index}`, 'ä'.repeat(2048)]));
    const withNote = (length: number) =>
      submitted({ eventId: '0190a5c4-0000-4000-8000-00000000aaaa', details: { ...details, note: 'x'.repeat(length) } });
    // Canonical JSON of such an event differs from JSON in the order of the names only.
    const room = EVENT_LIMIT_BYTES - Buffer.byteLength(JSON.stringify(withNote(0)));
    expect(accept(withNote(room)).rejected).toEqual([]);
    expect(refusalOf(withNote(room + 1))).toMatchObject({
      code: 'too-large',
      reason: expect.stringMatching(/65537 bytes .* 65536 at most/),
    });
  });

  it('at exactly the limits of the clock it is not', () => {
    expect(accept([submitted({ at: secondsFromNow(300) }), submitted({ at: secondsFromNow(-7 * 86_400) })]).rejected).toEqual([]);
  });

  it('naming every field that is wrong, and its id where it is one', () => {
    const event = submitted({ ipAddress: 'x', patientRef: 'y' });
    const refusal = refusalOf(event);
    expect(refusal?.eventId).toBe(event.eventId);
    expect(refusal?.reason).toMatch(/ipAddress: .*patientRef: /);
    expect(refusalOf({ ...event, eventId: 'Jane Doe' })).not.toHaveProperty('eventId');
  });
});

describe('a batch', () => {
  it('loses nothing but what is refused', () => {
    const [first, last] = [submitted(), submitted()];
    const { accepted, rejected } = accept([first, 42, submitted({ action: 'x' }), last]);
    expect(accepted.map(({ index, body }) => [index, body.eventId])).toEqual([
      [0, first.eventId],
      [3, last.eventId],
    ]);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual([
      [1, 'not-an-event'],
      [2, 'unknown-action'],
    ]);
  });

  it('may hold an event twice, in whatever order its names stand, but not two events of one id', () => {
    const event = submitted();
    const reordered = Object.fromEntries(Object.entries(event).reverse());
    const { accepted, rejected } = accept([event, reordered, { ...event, outcome: 'denied' }]);
    expect(accepted.map(({ index }) => index)).toEqual([0, 1]);
    expect(rejected).toMatchObject([{ index: 2, code: 'id-reused', eventId: event.eventId }]);
  });

  it('does not count the id of a refused event as taken', () => {
    const event = submitted();
    const { accepted, rejected } = accept([{ ...event, outcome: 'ok' }, event]);
    expect([accepted.length, rejected.length]).toEqual([1, 1]);
  });

  it('holds 500 events at most, and may hold none', () => {
    const events = Array.from({ length: 501 }, () => submitted());
    expect(accept(events.slice(1)).accepted).toHaveLength(500);
    expect(() => accept(events)).toThrow(InvalidInput);
    expect(accept([])).toEqual({ accepted: [], rejected: [] });
  });
});

describe('an event that waited on its way', () => {
  it('is as old as it was when it was handed over; the future is judged by the clock now', () => {
    const at = secondsFromNow(-8 * 86_400);
    const handedOverAt = new Date(secondsFromNow(-2 * 86_400));
    expect(accept(submitted({ at }), { handedOverAt }).rejected).toEqual([]);
    expect(accept(submitted({ at: secondsFromNow(400) }), { handedOverAt }).rejected).toMatchObject([{ code: 'clock-ahead' }]);
  });
});
