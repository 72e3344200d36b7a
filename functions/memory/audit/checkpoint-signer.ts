import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { CheckpointSigner } from '../../audit/ports.ts';
import type { Region } from '../../common/ids.ts';

/** PKCS#8 of an Ed25519 key without its 32 bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX_BYTES = 12;

/**
 * Ed25519 in this process, for tests and the lab: a key for each Region and generation, derived from one secret.
 *
 * @param secret any bytes; the same give the same keys
 */
export function memoryCheckpointSigner({
  region: own,
  secret,
}: {
  readonly region: Region;
  readonly secret: Uint8Array;
}): CheckpointSigner {
  const keyOf = (region: Region, generation: number) => {
    const seed = createHash('sha256').update(secret).update(`${region} ${generation}`).digest();
    return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  };
  return {
    async sign(generation, bytes) {
      return new Uint8Array(sign(null, bytes, keyOf(own, generation)));
    },
    async publicKey(region, generation) {
      const spki = createPublicKey(keyOf(region, generation)).export({ format: 'der', type: 'spki' });
      return new Uint8Array(spki.subarray(SPKI_PREFIX_BYTES));
    },
  };
}
