import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { checkpointText, signedNote, verifierKey } from '../../functions/audit/log/checkpoint.ts';

/** A key of a log, made of its name, and what it signs. */
export function signingKey(origin: string) {
  const seed = createHash('sha256').update(`key of ${origin}`).digest();
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32));
  return {
    origin,
    publicKey,
    verifierKey: verifierKey(origin, publicKey),
    checkpoint(size: number, root: Uint8Array): string {
      const text = checkpointText({ origin, size, root });
      return signedNote(text, origin, publicKey, sign(null, Buffer.from(text), privateKey));
    },
  };
}
