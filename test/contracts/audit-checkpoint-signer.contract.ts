import { createPublicKey, verify } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CheckpointSigner } from '../../functions/audit/ports.ts';
import type { Region } from '../../functions/common/ids.ts';
import { elsewhere, home } from '../support/incidents.ts';

const note = new TextEncoder().encode('hms-codeblue-audit/us-east-1/1\n17\nAAAA\n');

function isSigned(bytes: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  return verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature);
}

/** What every signer of checkpoints must do. @param make the signer as functions of a Region have it */
export function auditCheckpointSignerContract(make: () => Promise<(region: Region) => CheckpointSigner>): void {
  describe('the signer of checkpoints', () => {
    let signerIn: (region: Region) => CheckpointSigner;
    beforeEach(async () => {
      signerIn = await make();
    });

    it('signs so that the raw public key verifies it, in its Region and from another', async () => {
      const signature = await signerIn(home).sign(1, note);
      expect(signature).toHaveLength(64);
      for (const reader of [home, elsewhere]) {
        const publicKey = await signerIn(reader).publicKey(home, 1);
        expect(publicKey).toHaveLength(32);
        expect(isSigned(note, signature, publicKey)).toBe(true);
        expect(isSigned(note.slice(1), signature, publicKey)).toBe(false);
      }
    });

    it('has a key for each Region and each generation', async () => {
      const keys = [
        await signerIn(home).publicKey(home, 1),
        await signerIn(home).publicKey(home, 2),
        await signerIn(home).publicKey(elsewhere, 1),
      ];
      expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(3);
      const [first, second] = keys;
      if (!first || !second) throw new TypeError('three keys');
      const signature = await signerIn(home).sign(2, note);
      expect([isSigned(note, signature, first), isSigned(note, signature, second)]).toEqual([false, true]);
    });
  });
}
