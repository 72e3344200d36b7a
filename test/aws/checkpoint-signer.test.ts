import { generateKeyPairSync, sign } from 'node:crypto';
import { GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { checkpointSignerPort } from '../../functions/aws/audit/checkpoint-signer.ts';
import { kmsIn } from '../../functions/aws/kms.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import { auditCheckpointSignerContract } from '../contracts/audit-checkpoint-signer.contract.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { elsewhere, home } from '../support/incidents.ts';

/** A KMS of each Region that signs as the real one does (moto's knows no Ed25519): raw messages, by the alias of a generation. */
for (const region of [home, elsewhere]) {
  const kms = mockClient(kmsIn(region));
  for (const generation of [1, 2]) {
    const pair = generateKeyPairSync('ed25519');
    const KeyId = `alias/hms-codeblue-audit-log-${generation}`;
    kms
      .on(SignCommand, { KeyId, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' })
      .callsFake(({ Message }: { Message: Uint8Array }) => ({ Signature: new Uint8Array(sign(null, Message, pair.privateKey)) }));
    kms.on(GetPublicKeyCommand, { KeyId }).callsFake(() => ({ PublicKey: pair.publicKey.export({ type: 'spki', format: 'der' }) }));
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
  kms.on(GetPublicKeyCommand, { KeyId: 'alias/hms-codeblue-audit-log-3' }).resolves({ PublicKey: new Uint8Array(rsa) });
}

auditCheckpointSignerContract(async () => (region) => checkpointSignerPort({ ...awsSettings(), region }));

it('a key of another kind is no key of a log', async () => {
  await expect(checkpointSignerPort(awsSettings()).publicKey(home, 3)).rejects.toThrow(InvalidInput);
});
