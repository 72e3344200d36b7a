import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { sqlServersPort } from '../../functions/aws/sql-servers.ts';
import { InvalidInput, NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { awsSettings } from '../support/aws-settings.ts';

const rds = mockClient(RDSClient);
const secrets = mockClient(SecretsManagerClient);
const servers = sqlServersPort(awsSettings());
const databaseId = DatabaseId.parse('hms');
const region = Region.parse('us-east-1');
const restored = { databaseId, region, restoredId: 'cbv-hms-1' };

describe('SQL servers on RDS', () => {
  beforeEach(() => {
    rds.reset();
    secrets.reset();
    rds.on(DescribeDBInstancesCommand).resolves({
      DBInstances: [
        {
          Endpoint: { Address: 'localhost', Port: 1 },
          MasterUserSecret: { SecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-1' },
        },
      ],
    });
  });

  it('the live one is opened with the secret that the config names', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"codeblue","password":"x","host":"ignored"}' });
    await servers.live(databaseId, region);
    const asked = secrets.commandCalls(GetSecretValueCommand)[0]?.args[0].input.SecretId;
    expect(asked).toBe('arn:aws:secretsmanager:us-east-1:111122223333:secret:hms-primary-codeblue-AbCdEf');
  });

  it('a restored one is opened with the secret that RDS made for it', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"postgres","password":"x"}' });
    await servers.restored(restored);
    expect(secrets.commandCalls(GetSecretValueCommand)[0]?.args[0].input.SecretId).toContain('secret:rds!db-1');
  });

  it('one without a secret yet may be asked for again', async () => {
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ Endpoint: { Address: 'localhost', Port: 5432 } }] });
    await expect(servers.restored(restored)).rejects.toThrow(ServiceUnavailable);
  });

  it('a secret of the wrong shape is refused without being quoted', async () => {
    for (const SecretString of ['hunter2', '{"user":"hunter2"}', '{"username":"a","password":["hunter2"]}']) {
      secrets.on(GetSecretValueCommand).resolves({ SecretString });
      const error: unknown = await servers.live(databaseId, region).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidInput);
      expect(String(error)).not.toContain('hunter2');
    }
  });

  it('there is none where the config has no site', async () => {
    await expect(servers.live(databaseId, Region.parse('eu-west-1'))).rejects.toThrow(NotFound);
  });
});
