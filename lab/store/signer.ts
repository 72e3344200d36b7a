import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Region } from '../../functions/common/ids.ts';
import type { Signer } from '../../functions/verify/ports.ts';
import { makeOnce } from '../region.ts';
import type { Regions } from '../regions.ts';

/** Ed25519 with a key file of the region that judges, made at first use. */
export function labSigner(regions: Regions, region: Region = regions.primary): Signer {
  const load = () => {
    const path = join(regions.use(region).paths.keys, 'proof-signing.pem');
    makeOnce(path, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const privateKey = createPrivateKey(readFileSync(path));
    const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
    return { privateKey, publicPem };
  };
  return {
    async sign(bytes) {
      const { privateKey, publicPem } = load();
      const keyId = `lab/${region}/proof-signing/${createHash('sha256').update(publicPem).digest('hex').slice(0, 16)}`;
      return { keyId, signature: new Uint8Array(sign(null, bytes, privateKey)) };
    },
    publicKey: async () => load().publicPem,
  };
}
