import { createHmac } from 'node:crypto';
import { GenerateMacCommand, KMSClient } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { linkSignerPort } from '../../functions/aws/link-signer.ts';
import { linkSignerContract } from '../contracts/link-signer.contract.ts';
import { awsSettings } from '../support/aws-settings.ts';

const kms = mockClient(KMSClient);
// A KMS that makes MACs as the real one does: 32 bytes, by the alias of the link key.
kms
  .on(GenerateMacCommand, { KeyId: 'alias/hms-codeblue-links', MacAlgorithm: 'HMAC_SHA_256' })
  .callsFake(({ Message }: { Message: Uint8Array }) => ({
    Mac: new Uint8Array(createHmac('sha256', 'a key').update(Message).digest()),
  }));

linkSignerContract(async () => linkSignerPort(awsSettings()));

it('asks KMS for nothing when a signature has not the shape of one', async () => {
  kms.resetHistory();
  expect(await linkSignerPort(awsSettings()).verify('text', 'x'.repeat(5000))).toBe(false);
  expect(kms.calls()).toHaveLength(0);
});

it('has the address that the function was given', () => {
  const settings = { ...awsSettings(), acknowledgeUrl: 'https://abc.lambda-url.us-east-1.on.aws' };
  expect(linkSignerPort(settings).address).toBe('https://abc.lambda-url.us-east-1.on.aws');
});
