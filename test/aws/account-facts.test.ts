import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { DescribeAccountAttributesCommand, RDSClient } from '@aws-sdk/client-rds';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { awsAccountFacts } from '../../functions/aws/account-facts.ts';
import { Region } from '../../functions/common/ids.ts';

const clients = {
  sts: mockClient(STSClient),
  kms: mockClient(KMSClient),
  rds: mockClient(RDSClient),
  dynamoDb: mockClient(DynamoDBClient),
  secrets: mockClient(SecretsManagerClient),
};
const { sts, kms, rds, dynamoDb, secrets } = clients;
const home = Region.parse('us-east-1');
const facts = awsAccountFacts(home);
const named = (name: string, message = name) => Object.assign(new Error(message), { name });

describe('facts of an account', () => {
  beforeEach(() => {
    for (const client of Object.values(clients)) client.reset();
  });

  test('without credentials there is no identity; with expired ones it is an error that says so', async () => {
    sts.on(GetCallerIdentityCommand).rejects(named('CredentialsProviderError'));
    expect(await facts.identity()).toBeUndefined();
    sts.on(GetCallerIdentityCommand).rejects(named('ExpiredTokenException'));
    await expect(facts.identity()).rejects.toMatchObject({ hint: 'The credentials have expired: sign in again.' });
    sts.on(GetCallerIdentityCommand).resolves({ Account: '111122223333', Arn: 'arn:aws:iam::111122223333:user/alice' });
    expect(await facts.identity()).toEqual({ account: '111122223333', arn: 'arn:aws:iam::111122223333:user/alice' });
  });

  test('what does not exist is undefined', async () => {
    kms.on(DescribeKeyCommand).rejects(named('NotFoundException'));
    secrets.on(DescribeSecretCommand).rejects(named('ResourceNotFoundException'));
    dynamoDb.on(DescribeTableCommand).rejects(named('ResourceNotFoundException'));
    expect(await facts.key(home, 'alias/x')).toBeUndefined();
    expect(await facts.secret(home, 'arn')).toBeUndefined();
    expect(await facts.table(home, 'x')).toBeUndefined();
  });

  test('what may not be asked is an error, not an absence', async () => {
    kms.on(DescribeKeyCommand).rejects(named('AccessDeniedException'));
    await expect(facts.key(home, 'alias/x')).rejects.toThrow('describe key alias/x');
  });

  test('keys, secrets and tables are described, and no secret is read', async () => {
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: { KeyId: 'x', Enabled: false, KeyState: 'PendingDeletion' } });
    const deletedAt = new Date('2026-11-20T00:00:00Z');
    secrets.on(DescribeSecretCommand).resolvesOnce({ ARN: 'arn' }).resolves({ ARN: 'arn', DeletedDate: deletedAt });
    dynamoDb.on(DescribeTableCommand).resolves({ Table: { TableStatus: 'ACTIVE' } });
    expect(await facts.key(home, 'x')).toEqual({ enabled: false, state: 'PendingDeletion' });
    expect(await facts.secret(home, 'arn')).toEqual({});
    expect(await facts.secret(home, 'arn')).toEqual({ deletedAt });
    expect(await facts.table(home, 'x')).toEqual({ status: 'ACTIVE' });
    expect(secrets.calls().every(({ args }) => args[0] instanceof DescribeSecretCommand)).toBe(true);
  });

  test('quotas come with the numbers in use', async () => {
    rds
      .on(DescribeAccountAttributesCommand)
      .resolves({ AccountQuotas: [{ AccountQuotaName: 'ManualSnapshots', Used: 7, Max: 100 }, { AccountQuotaName: 'odd' }] });
    expect(await facts.quotas(home)).toEqual([{ name: 'ManualSnapshots', used: 7, limit: 100 }]);
  });
});
