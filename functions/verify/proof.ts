import { createHash, createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalText } from '../common/canonical-json.ts';
import { DatabaseId, Region, Timestamp, VerificationId } from '../common/ids.ts';
import { Check, Measured, Target } from './models.ts';

/** Proof of restore (row V7): what was restored, what was asked of it, what came back, by which code, when. */
export const Proof = z.strictObject({
  format: z.literal('codeblue-proof-of-restore/1'),
  verificationId: VerificationId,
  databaseId: DatabaseId,
  region: Region,
  purpose: z.string(),
  target: Target,
  outcome: z.enum(['verified', 'refused']),
  contentRoot: z.string().optional(),
  manifestSha256: z.string().optional(),
  checks: z.array(Check),
  measured: Measured,
  startedAt: Timestamp,
  finishedAt: Timestamp,
  /** SHA-256 (hex) of the code that judged: the deployed bundle. */
  codeSha256: z.string(),
});
export type Proof = z.output<typeof Proof>;

export const SignedProof = z.strictObject({
  proof: Proof,
  keyId: z.string(),
  /** Ed25519 over `proofBytes` of `proof`, base64. */
  signature: z.base64(),
});
export type SignedProof = z.output<typeof SignedProof>;

/** RFC 8785 canonical JSON of the proof. @throws InvalidInput when the value has no canonical form */
function canonicalProof(proof: Proof): Uint8Array {
  return new TextEncoder().encode(canonicalText(JSON.parse(JSON.stringify(proof))));
}

export const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/**
 * The bytes that are signed: the format's name, a line feed, the SHA-256 (hex) of `canonicalProof`, a line feed. A proof can be
 * longer than the 4096 bytes that KMS signs as a raw message, and Node verifies Ed25519 but not its pre-hashed variant
 * (Ed25519ph), so a short statement that names the digest is signed instead. Naming the format keeps a signature made here
 * from being passed off as one over anything else.
 */
export function proofBytes(proof: Proof): Uint8Array {
  return new TextEncoder().encode(`${proof.format}\n${sha256Hex(canonicalProof(proof))}\n`);
}

/** True when `publicKeyPem` (SPKI) signed exactly this proof. */
export function isSignedBy(signed: SignedProof, publicKeyPem: string): boolean {
  return verify(null, proofBytes(signed.proof), createPublicKey(publicKeyPem), Buffer.from(signed.signature, 'base64'));
}
