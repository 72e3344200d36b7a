import { createHash, createPublicKey, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { InvalidInput } from '../common/errors.ts';
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
  /** Ed25519 over the RFC 8785 form of `proof`, base64. */
  signature: z.base64(),
});
export type SignedProof = z.output<typeof SignedProof>;

/** The bytes that are signed: RFC 8785 canonical JSON. @throws InvalidInput when the value has no canonical form */
export function proofBytes(proof: Proof): Uint8Array {
  const text = canonicalize(JSON.parse(JSON.stringify(proof)));
  if (text === undefined) throw new InvalidInput('the proof has no canonical form');
  return new TextEncoder().encode(text);
}

export const sha256Hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** True when `publicKeyPem` (SPKI) signed exactly this proof. */
export function isSignedBy(signed: SignedProof, publicKeyPem: string): boolean {
  return verify(null, proofBytes(signed.proof), createPublicKey(publicKeyPem), Buffer.from(signed.signature, 'base64'));
}
