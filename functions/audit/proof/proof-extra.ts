import { z } from 'zod';
import { CanonicalBody } from '../events/event.ts';

/** What Codeblue puts into the `extra` of a proof: what the entry of the log is made of. Nothing of it is believed that does not hash to the log. */
export const ProofExtra = z.strictObject({
  format: z.literal('codeblue-audit-proof/1'),
  /** The entry's bytes: canonical JSON of a leaf. */
  leaf: z.string().min(1),
  /** Canonical JSON of the event. Absent with its salt where it was erased, or left out on purpose. */
  body: CanonicalBody.optional(),
  /** Base64 of 32 bytes. */
  salt: z.base64().optional(),
});
export type ProofExtra = z.output<typeof ProofExtra>;

export const extraBytes = (extra: ProofExtra): Uint8Array => Buffer.from(JSON.stringify(extra));
