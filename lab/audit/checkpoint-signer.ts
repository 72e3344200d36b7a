import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointSigner } from '../../functions/audit/ports.ts';
import type { Region } from '../../functions/common/ids.ts';
import { makeOnce } from '../region.ts';
import type { Regions } from '../regions.ts';

/** Bytes of an Ed25519 key's SubjectPublicKeyInfo before the key itself (RFC 8410). */
const SPKI_PREFIX_BYTES = 12;

/** Ed25519 with a key file for each Region and generation of its log, made at first use. */
export function labCheckpointSigner(regions: Regions, viewer: Region): CheckpointSigner {
  const keyOf = (region: Region, generation: number): KeyObject => {
    const path = join(regions.use(region).paths.keys, `audit-log-${generation}.pem`);
    makeOnce(path, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return createPrivateKey(readFileSync(path));
  };
  return {
    sign: async (generation, bytes) => new Uint8Array(sign(null, bytes, keyOf(viewer, generation))),
    async publicKey(region, generation) {
      const spki = createPublicKey(keyOf(region, generation)).export({ format: 'der', type: 'spki' });
      return new Uint8Array(spki.subarray(SPKI_PREFIX_BYTES));
    },
  };
}
