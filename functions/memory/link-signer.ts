import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { LinkSigner } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';

export interface MemoryLinkSigner extends LinkSigner, Failable<LinkSigner> {}

/**
 * HMAC-SHA-256 in this process, for tests and the lab.
 *
 * @param given the endpoint's address (none when left out), and a key (a fresh one when left out)
 */
export function memoryLinkSigner(given: { readonly address?: string; readonly key?: Uint8Array } = {}): MemoryLinkSigner {
  const { address, key = randomBytes(32) } = given;
  const mac = (text: string) => createHmac('sha256', key).update(text).digest().subarray(0, 16);
  return failable<LinkSigner>({
    address,
    async sign(text) {
      return mac(text).toString('base64url');
    },
    async verify(text, signature) {
      const claimed = Buffer.from(signature, 'base64url');
      const expected = mac(text);
      return claimed.length === expected.length && claimed.toString('base64url') === signature && timingSafeEqual(claimed, expected);
    },
  });
}
