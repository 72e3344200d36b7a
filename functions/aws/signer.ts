import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import { ServiceUnavailable } from '../common/errors.ts';
import { proofKeyAlias } from '../common/names.ts';
import type { Signer } from '../verify/ports.ts';
import { calling } from './errors.ts';
import { kmsIn } from './kms.ts';
import type { AwsSettings } from './settings.ts';

/** Ed25519 with the deployment's proof key, which never leaves KMS. KMS itself refuses raw messages above 4096 bytes. */
export function signerPort({ region, operations }: AwsSettings): Signer {
  const KeyId = proofKeyAlias(operations);
  return {
    async sign(bytes) {
      const command = new SignCommand({ KeyId, Message: bytes, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' });
      const signed = await calling(`sign with ${KeyId}`, () => kmsIn(region).send(command));
      if (!signed.Signature || !signed.KeyId) throw new ServiceUnavailable('KMS answered without a signature');
      return { keyId: signed.KeyId, signature: signed.Signature };
    },
    async publicKey() {
      const { PublicKey } = await calling(`read the public key of ${KeyId}`, () => kmsIn(region).send(new GetPublicKeyCommand({ KeyId })));
      if (!PublicKey) throw new ServiceUnavailable('KMS answered without a public key');
      const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
      return key.export({ type: 'spki', format: 'pem' }).toString();
    },
  };
}
