import { timingSafeEqual } from 'node:crypto';
import { GenerateMacCommand } from '@aws-sdk/client-kms';
import { ServiceUnavailable } from '../common/errors.ts';
import { linkKeyAlias } from '../common/names.ts';
import type { LinkSigner } from '../incidents/ports.ts';
import { calling } from './errors.ts';
import { kmsIn } from './kms.ts';
import type { AwsSettings } from './settings.ts';

/** 128 bits: a link must fit into an SMS beside what it is about. */
const macBytes = 16;

/**
 * HMAC-SHA-256 with the deployment's link key of this Region, which never leaves KMS. Verified by making it again and comparing in constant time: `VerifyMac` takes whole
 * MACs only.
 */
export function linkSignerPort({ region, operations, acknowledgeUrl }: AwsSettings): LinkSigner {
  const KeyId = linkKeyAlias(operations);
  async function mac(text: string): Promise<Buffer> {
    const command = new GenerateMacCommand({ KeyId, Message: Buffer.from(text), MacAlgorithm: 'HMAC_SHA_256' });
    const { Mac } = await calling(`sign a link with ${KeyId}`, () => kmsIn(region).send(command));
    if (!Mac || Mac.length < macBytes) throw new ServiceUnavailable('KMS answered without a MAC');
    return Buffer.from(Mac).subarray(0, macBytes);
  }
  return {
    address: acknowledgeUrl,
    sign: async (text) => (await mac(text)).toString('base64url'),
    async verify(text, signature) {
      const claimed = Buffer.from(signature, 'base64url');
      if (claimed.length !== macBytes || claimed.toString('base64url') !== signature) return false;
      return timingSafeEqual(claimed, await mac(text));
    },
  };
}
