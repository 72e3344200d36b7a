import { hash } from 'node:crypto';
import { z } from 'zod';
import { ActionName } from '../../common/audit-policy.ts';
import { canonicalText } from '../../common/canonical-json.ts';
import { InvalidInput } from '../../common/errors.ts';
import { Timestamp } from '../../common/ids.ts';
import type { PublicText } from '../../common/personal.ts';
import { type CanonicalBody, type EventBody, EventId, Outcome } from './event.ts';

const Sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

/**
 * An entry of the log, as canonical JSON (RFC 8785): public for ever, so it holds nothing that somebody typed. An id, two times, a word from a closed list, and
 * a commitment that says nothing without its salt.
 */
export const EventLeaf = z.strictObject({
  format: z.literal('codeblue-audit-leaf/1'),
  eventId: EventId,
  /** When it was taken in, by Codeblue's clock. */
  recordedAt: Timestamp,
  action: ActionName,
  outcome: Outcome,
  /** `commitmentTo(body, salt)`. */
  commitment: Sha256Hex,
});
/** Takes no text that is marked as personal. */
export type EventLeaf = Omit<z.output<typeof EventLeaf>, 'action' | 'commitment'> & {
  readonly action: PublicText;
  readonly commitment: PublicText;
};

/** First entry of a log that follows another (rotation of the key): commits to the end of that one. */
export const PredecessorLeaf = z.strictObject({
  format: z.literal('codeblue-audit-predecessor/1'),
  origin: z.string(),
  size: z.int().min(0),
  /** Root of the tree of that size, base64. */
  root: z.base64(),
  /** Verifier key (C2SP signed-note) of that log. */
  verifierKey: z.string(),
});
export type PredecessorLeaf = z.output<typeof PredecessorLeaf>;

export const Leaf = z.discriminatedUnion('format', [EventLeaf, PredecessorLeaf]);
export type Leaf = EventLeaf | PredecessorLeaf;

/** RFC 8785: of a leaf what the log holds, of a body what may tell about a person. @throws InvalidInput when the value has no canonical form */
export function canonicalJson(value: Leaf): string;
export function canonicalJson(value: EventBody): CanonicalBody;
export function canonicalJson(value: EventBody | Leaf): string {
  return canonicalText(value);
}

const commitmentFormat = Buffer.from('codeblue-audit-body/1\n');

/** Random bytes of a salt: as many as the digest has. */
export const SALT_BYTES = 32;

/**
 * SHA-256 (hex) over the format's name, a line feed, the salt, and the canonical JSON of the body. Without the salt nothing can be tried against it; with both, nobody
 * can show another body.
 */
export function commitmentTo(canonicalBody: string, salt: Uint8Array): string {
  if (salt.length !== SALT_BYTES) throw new InvalidInput(`a salt has ${SALT_BYTES} bytes, this one has ${salt.length}`);
  return hash('sha256', Buffer.concat([commitmentFormat, salt, Buffer.from(canonicalBody)]), 'hex');
}
