import { generateKeyPairSync, sign } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { signerPort } from '../../functions/aws/signer.ts';
import { signerContract } from '../contracts/signer.contract.ts';
import { awsSettings } from '../support/aws-settings.ts';

const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/mrk-1234';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const kms = mockClient(KMSClient);
// A KMS that signs as the real one does: raw messages of at most 4096 bytes, by the alias of the proof key.
const asked = { KeyId: 'alias/hms-codeblue-proof', MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' } as const;
kms.on(SignCommand, asked).callsFake(({ Message }: { Message: Uint8Array }) => {
  if (Message.length > 4096) throw Object.assign(new Error('message too long'), { name: 'ValidationException' });
  return { KeyId: keyArn, Signature: new Uint8Array(sign(null, Message, privateKey)) };
});
kms.on(GetPublicKeyCommand, { KeyId: asked.KeyId }).callsFake(() => ({ PublicKey: publicKey.export({ type: 'spki', format: 'der' }) }));

signerContract(async () => signerPort(awsSettings()));

it('a signature names the key by its ARN, not by the alias that may move', async () => {
  expect((await signerPort(awsSettings()).sign(new Uint8Array(8))).keyId).toBe(keyArn);
});
