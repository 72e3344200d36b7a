import { expect, it } from 'vitest';
import { memorySigner } from '../../functions/memory/signer.ts';
import { isSignedBy, proofBytes } from '../../functions/verify/proof.ts';
import { proofOf, signedProof } from '../support/proofs.ts';

it('a proof is signed over its format and its digest, in 93 bytes whatever its length', () => {
  const long = proofOf('2026-11-21T07:30:00Z', {
    checks: [{ id: 'rows', says: 'x'.repeat(10_000), result: 'passed', findings: [] }],
  });
  expect(new TextDecoder().decode(proofBytes(long))).toMatch(/^codeblue-proof-of-restore\/1\n[0-9a-f]{64}\n$/);
  expect(proofBytes(long)).toHaveLength(93);
});

it('the order in which a proof was written down does not matter', () => {
  const proof = proofOf('2026-11-21T07:30:00Z');
  const { format, ...rest } = proof;
  const reordered = { ...rest, format };
  expect(JSON.stringify(reordered)).not.toBe(JSON.stringify(proof));
  expect(proofBytes(reordered)).toEqual(proofBytes(proof));
});

it('any change to a signed proof, its signature or the key is noticed', async () => {
  const signer = memorySigner();
  const publicKey = await signer.publicKey();
  const signed = await signedProof('2026-11-21T07:30:00Z', { outcome: 'refused' }, signer);
  expect(isSignedBy(signed, publicKey)).toBe(true);

  const { proof } = signed;
  const [check] = proof.checks;
  if (!check) throw new Error('the proof has no check');
  const forgeries = [
    { ...proof, outcome: 'verified' as const },
    { ...proof, measured: { ...proof.measured, lossSeconds: 2.4 } },
    { ...proof, checks: [{ ...check, result: 'failed' as const }] },
    { ...proof, checks: [] },
    { ...proof, manifestSha256: 'ab'.repeat(32) },
  ];
  for (const forged of forgeries) expect(isSignedBy({ ...signed, proof: forged }, publicKey)).toBe(false);
  const otherSignature = (await signedProof('2026-11-21T07:30:01Z', {}, signer)).signature;
  expect(isSignedBy({ ...signed, signature: otherSignature }, publicKey)).toBe(false);
  expect(isSignedBy(signed, await memorySigner().publicKey())).toBe(false);
});
