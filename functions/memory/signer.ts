import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { InvalidInput } from '../common/errors.ts';
import type { Signer } from '../verify/ports.ts';
import { sha256Hex } from '../verify/proof.ts';

/**
 * Ed25519 in this process, for tests and the lab.
 *
 * @param privateKeyPem PKCS#8; a fresh key when left out
 */
export function memorySigner(privateKeyPem?: string): Signer {
  const privateKey: KeyObject = privateKeyPem === undefined ? generateKeyPairSync('ed25519').privateKey : createPrivateKey(privateKeyPem);
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const keyId = `ed25519/${sha256Hex(publicPem).slice(0, 16)}`;
  return {
    async sign(bytes) {
      // The limit of KMS for raw messages: what cannot be signed on AWS must not be signable in a test either.
      if (bytes.length > 4096) throw new InvalidInput(`${bytes.length} bytes are too many to sign, 4096 are allowed`);
      return { keyId, signature: new Uint8Array(sign(null, bytes, privateKey)) };
    },
    async publicKey() {
      return publicPem;
    },
  };
}
