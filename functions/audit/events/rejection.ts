import type { z } from 'zod';
import { SubmittedEvent } from './event.ts';

/** Why an event is refused: the codes of the contract (docs/audit-events.md). None is ever renamed. */
export const rejectionCodes = {
  'not-json': 'A line or a message is no JSON.',
  'not-an-event': 'What stands where an event should is no JSON object.',
  'unknown-field': 'It has a field that no event has.',
  'missing-field': 'A field that every event has is missing.',
  'invalid-field': 'A field is not of the form that it must have.',
  'lone-surrogate': 'A text holds half of a character, which no UTF-8 can hold.',
  'reserved-service': 'It says that it comes from Codeblue itself.',
  'id-version': 'Its id is no UUID of version 4 or 7: others are made of names or machines, and the id can never be erased.',
  'unknown-action': 'Its action is none that this deployment knows.',
  'clock-ahead': 'It lies further in the future than clocks may differ.',
  'clock-behind': 'It is older than events are taken.',
  'too-large': 'Its canonical JSON is longer than 64 KB.',
  'id-reused': 'Another event has its id.',
} as const;
export type RejectionCode = keyof typeof rejectionCodes;

/** `reason` says what was got, what is wanted and what to change; it repeats no value and no name that the sender chose. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly reason: string;
}

type Field = keyof SubmittedEvent;

const line = (longest: number) => `printable text of one line, at most ${longest} characters`;

/** What each field must be, in words; descriptions of docs/audit-event.schema.json too. */
export const wanted: Readonly<Record<Field, string>> = {
  eventId: 'a UUID in lower case, of version 4 or 7',
  at: 'when it happened, in UTC to the millisecond, such as 2026-11-22T04:05:06.789Z',
  userId: `the opaque id of who did it: ${line(128)}`,
  action: "one of the standard actions or of the deployment's `audit.actions`",
  resource: `<type>/<id> of what it was done to: ${line(500)}`,
  outcome: 'success, failure, denied, pending or skipped',
  service: "the application's name: lower-case words joined by hyphens, at most 41 characters",
  ipAddress: 'an IPv4 or IPv6 address',
  userAgent: line(512),
  purpose: 'a code of HL7 v3 PurposeOfUse, such as TREAT',
  patientRef: 'an opaque id of 4-128 letters, digits, _ . : -',
  details:
    'an object of names (1-64 characters) with text (at most 4096 characters), numbers (integers up to 2^53 - 1), true, false or null',
};

const isField = (name: unknown): name is Field => typeof name === 'string' && Object.hasOwn(SubmittedEvent.shape, name);
const isOptional = (field: Field): boolean => SubmittedEvent.shape[field].safeParse(undefined).success;

export const rejection = (code: RejectionCode, got: string, want: string, change: string): Rejection => ({
  code,
  reason: `${got}; wanted: ${want}. ${change}`,
});

/** Says of what kind a value is, and nothing of what it is. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case 'string':
      return `text of ${value.length} characters`;
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    default:
      return 'nothing';
  }
}

/** A field, by its name alone: `details` for whatever is wrong within. */
export function invalidField(field: Field, got: string, code: RejectionCode = 'invalid-field'): Rejection {
  const change = isOptional(field) ? 'Send it so, or leave it out.' : 'Send it so.';
  return rejection(code, `${field}: got ${got}`, wanted[field], change);
}

/** Fields beside those of the contract: how many, since their names are the sender's. */
export const unknownField = (count: number): Rejection =>
  rejection(
    'unknown-field',
    count === 1 ? 'a field is none of the contract' : `${count} fields are none of the contract`,
    Object.keys(wanted).join(', '),
    'Put what it says into details, or leave it out.',
  );

/** What an entry of `details` is refused for. Its name is the sender's word: it is told by its place. */
function detailOf(details: object, name: PropertyKey | undefined): string {
  const place = Object.keys(details).indexOf(String(name));
  const [key, value] = Object.entries(details)[place] ?? [];
  if (key === undefined) return 'an entry that is not allowed';
  const told = `entry ${place + 1}`;
  return key.length === 0 || key.length > 64 ? `${told} with a name of ${key.length} characters` : `${told} with ${kindOf(value)}`;
}

/** What a schema finds wrong, one sentence for each field. */
export function rejectionOfIssues(given: Readonly<Record<string, unknown>>, issues: readonly z.core.$ZodIssue[]): Rejection {
  const found = new Map<string, Rejection>();
  for (const issue of issues) {
    const [field, name] = issue.path;
    if (!isField(field)) {
      if (!found.has('')) found.set('', unknownField(issue.code === 'unrecognized_keys' ? issue.keys.length : 1));
    } else if (!found.has(field)) {
      const value = given[field];
      const isMissing = value === undefined;
      if (isMissing) found.set(field, rejection('missing-field', `${field} is missing`, wanted[field], 'Add it.'));
      else if (field === 'details' && name !== undefined && typeof value === 'object' && value !== null)
        found.set(field, invalidField(field, detailOf(value, name)));
      else found.set(field, invalidField(field, kindOf(value)));
    }
  }
  const all = [...found.values()];
  return { code: all[0]?.code ?? 'invalid-field', reason: all.map(({ reason }) => reason).join(' ') };
}
