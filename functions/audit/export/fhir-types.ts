import type { Coding } from './fhir-codes.ts';

interface Absent {
  readonly display?: string;
  readonly extension: readonly [{ readonly url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'; readonly valueCode: string }];
}

/** Logical: by the application's own id, not by an address. */
export type Reference =
  | { readonly type?: string; readonly identifier: { readonly system?: string; readonly value: string } }
  | { readonly display: string }
  | Absent;

export interface FhirAgent {
  readonly type?: { readonly coding: readonly Coding[] };
  readonly who: Reference;
  readonly requestor: boolean;
  readonly network?: { readonly address: string; readonly type: '1' | '2' } | Absent;
}

/** FHIR's way of saying that something was there, and why it is not told: `unknown`, or `masked`. */
export const absent = (valueCode: 'unknown' | 'masked'): Absent => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode }],
});

export const identified = (value: string): Reference => ({ identifier: { value: fhirText(value) } });

/** A string of FHIR has something in it that can be seen, and no control characters: what has not is written as JSON. */
export const fhirText = (value: string | number | boolean | null): string =>
  typeof value === 'string' && value.trim() !== '' && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value);
