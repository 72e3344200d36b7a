import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto';

/** Of an Ed25519 private key before its 32 bytes (RFC 8410), and of a public one. */
const privateKeyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicKeyPrefixBytes = 12;

const keys = new Map<number, { readonly privateKey: KeyObject; readonly publicKey: Uint8Array }>();

/** The same key for each generation in every run. */
function keyOf(generation: number) {
  const known = keys.get(generation);
  if (known) return known;
  const der = Buffer.concat([privateKeyPrefix, hash('sha256', `simulated log ${generation}`, 'buffer')]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(publicKeyPrefixBytes);
  const made = { privateKey, publicKey };
  keys.set(generation, made);
  return made;
}

/** Raw, 32 bytes. */
export const publicKeyOf = (generation: number): Uint8Array => keyOf(generation).publicKey;

/** Ed25519, 64 bytes. */
export const signWith = (generation: number, bytes: Uint8Array): Uint8Array => sign(null, bytes, keyOf(generation).privateKey);
