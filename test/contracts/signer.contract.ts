import { createPublicKey, verify } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { Signer } from '../../functions/verify/ports.ts';
import { isSignedBy } from '../../functions/verify/proof.ts';
import { signedProof } from '../support/proofs.ts';

/** What every signer must do. */
export function signerContract(makePort: () => Promise<Signer>): void {
  describe('the signer', () => {
    let signer: Signer;
    beforeEach(async () => {
      signer = await makePort();
    });

    it('signs bytes so that OpenSSL verifies them with the public key, and no other bytes', async () => {
      const bytes = new TextEncoder().encode('a statement');
      const { signature, keyId } = await signer.sign(bytes);
      const publicKey = createPublicKey(await signer.publicKey());
      expect(publicKey.asymmetricKeyType).toBe('ed25519');
      expect(keyId).not.toBe('');
      expect(verify(null, bytes, publicKey, signature)).toBe(true);
      expect(verify(null, new TextEncoder().encode('another statement'), publicKey, signature)).toBe(false);
    });

    it('signs 4096 bytes and refuses one more', async () => {
      expect((await signer.sign(new Uint8Array(4096))).signature).toHaveLength(64);
      await expect(signer.sign(new Uint8Array(4097))).rejects.toThrow(InvalidInput);
    });

    it('signs a proof of any length', async () => {
      const findings = Array.from({ length: 20 }, (_, index) => `table ${index}: ${'x'.repeat(500)}`);
      const checks = [{ id: 'rows', says: 'long', result: 'passed' as const, findings }];
      const signed = await signedProof('2026-11-21T07:30:00Z', { checks }, signer);
      expect(isSignedBy(signed, await signer.publicKey())).toBe(true);
    });
  });
}
