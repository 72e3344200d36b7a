import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { DescribeAccountAttributesCommand, RDSClient } from '@aws-sdk/client-rds';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Region } from '../common/ids.ts';
import type { AccountFacts } from '../doctor/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, callingFor, errorNameOf } from './errors.ts';

const dynamoDbIn = perRegion((region) => new DynamoDBClient(clientOptions(region)));
const kmsIn = perRegion((region) => new KMSClient(clientOptions(region)));
const rdsIn = perRegion((region) => new RDSClient(clientOptions(region)));
const secretsIn = perRegion((region) => new SecretsManagerClient(clientOptions(region)));
const stsIn = perRegion((region) => new STSClient(clientOptions(region)));

/**
 * Facts of an account by read-only calls.
 *
 * RDS tells the numbers in use together with the limits that apply (DescribeAccountAttributes); Service Quotas would tell the
 * limits alone.
 *
 * @param home the Region whose STS endpoint is asked who we are
 */
export function awsAccountFacts(home: Region): AccountFacts {
  return {
    async identity() {
      const { Account, Arn } = await calling('ask who we are', () => stsIn(home).send(new GetCallerIdentityCommand({}))).catch(
        (error: unknown) => {
          if (error instanceof Error && errorNameOf(error.cause) === 'CredentialsProviderError')
            return { Account: undefined, Arn: undefined };
          throw error;
        },
      );
      return Account === undefined ? undefined : { account: Account, arn: Arn ?? '' };
    },
    async key(region, key) {
      const found = await callingFor(`describe key ${key}`, () => kmsIn(region).send(new DescribeKeyCommand({ KeyId: key })));
      const metadata = found?.KeyMetadata;
      return metadata && { enabled: metadata.Enabled ?? false, state: metadata.KeyState ?? 'unknown' };
    },
    async secret(region, arn) {
      const found = await callingFor(`describe secret ${arn}`, () => secretsIn(region).send(new DescribeSecretCommand({ SecretId: arn })));
      return found && (found.DeletedDate ? { deletedAt: found.DeletedDate } : {});
    },
    async table(region, name) {
      const found = await callingFor(`describe table ${name}`, () =>
        dynamoDbIn(region).send(new DescribeTableCommand({ TableName: name })),
      );
      const witness = found?.Table?.GlobalTableWitnesses?.[0]?.RegionName;
      return found && { status: found.Table?.TableStatus ?? 'unknown', ...(witness ? { witness } : {}) };
    },
    async quotas(region) {
      const { AccountQuotas = [] } = await calling(`read the RDS quotas in ${region}`, () =>
        rdsIn(region).send(new DescribeAccountAttributesCommand({})),
      );
      return AccountQuotas.flatMap(({ AccountQuotaName: name, Used, Max }) =>
        name === undefined || Used === undefined || Max === undefined ? [] : [{ name, used: Used, limit: Max }],
      );
    },
  };
}
