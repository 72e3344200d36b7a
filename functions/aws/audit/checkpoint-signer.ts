import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import type { CheckpointSigner } from '../../audit/ports.ts';
import { InvalidInput, ServiceUnavailable } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import { auditKeyAlias } from '../../common/names.ts';
import { calling } from '../errors.ts';
import { kmsIn } from '../kms.ts';
import type { AwsSettings } from '../settings.ts';

const SIGNATURE_BYTES = 64;

/** Ed25519 with this Region's key of one generation of the log, which never leaves KMS. KMS itself refuses raw messages above 4096 bytes. */
export function checkpointSignerPort({ region, operations }: Pick<AwsSettings, 'region' | 'operations'>): CheckpointSigner {
  return {
    async sign(generation, bytes) {
      const KeyId = auditKeyAlias(operations, generation);
      const command = new SignCommand({ KeyId, Message: bytes, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' });
      const { Signature } = await calling(`sign with ${KeyId}`, () => kmsIn(region).send(command));
      if (Signature?.length !== SIGNATURE_BYTES) throw new ServiceUnavailable('KMS answered without an Ed25519 signature');
      return Uint8Array.from(Signature);
    },
    async publicKey(of: Region, generation) {
      const KeyId = auditKeyAlias(operations, generation);
      const doing = `read the public key of ${KeyId} in ${of}`;
      const { PublicKey } = await calling(doing, () => kmsIn(of).send(new GetPublicKeyCommand({ KeyId })));
      if (!PublicKey) throw new ServiceUnavailable(`${doing}: KMS answered without one`);
      const { crv, x } = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' }).export({ format: 'jwk' });
      if (crv !== 'Ed25519' || x === undefined) throw new InvalidInput(`${KeyId} in ${of} is no Ed25519 key: it cannot be a log's`);
      return new Uint8Array(Buffer.from(x, 'base64url'));
    },
  };
}
