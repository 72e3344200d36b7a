import type { $brand } from 'zod';

/**
 * Text and numbers that may tell about a person (what somebody typed into an event) are branded as `Personal` where they are parsed, and keep the mark; what is public for ever or
 * read by everybody (leaves, log lines, object paths, metrics) takes no marked value. A mark is lost by writing a new text of the old one: that is what the test with markers
 * looks for (test/audit/ingest/no-patient-data.test.ts). Refuses that brand and no other: the open index keeps ids acceptable.
 */
type Unmarked = { readonly [$brand]?: { readonly Personal?: never; readonly [other: string]: unknown } };

/** Text that tells nothing about a person. */
export type PublicText = string & Unmarked;

/** What may stand in a log line. */
export type PublicValue =
  | PublicText
  | (number & Unmarked)
  | boolean
  | null
  | undefined
  | Date
  | readonly PublicValue[]
  | { readonly [name: string]: PublicValue };

export type PublicFacts = { readonly [name: string]: PublicValue };
