import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { InvalidInput, NotFound, ServiceUnavailable } from '../common/errors.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { parseAs } from '../common/parse.ts';
import { pgServer } from '../common/pg-server.ts';
import type { SqlServers } from '../verify/ports.ts';
import { auroraClusters } from './aurora-clusters.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import { rdsInstances } from './rds-instances.ts';
import type { AwsSettings } from './settings.ts';

const secretsIn = perRegion((region) => new SecretsManagerClient(clientOptions(region)));

const Credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });

/**
 * The server's certificate and name are always verified. RDS signs with authorities of its own: Node knows them when
 * NODE_EXTRA_CA_CERTS names a bundle that has them, which on Lambda is /var/runtime/ca-cert.pem.
 */
const verifiedTls = { rejectUnauthorized: true };

/** PostgreSQL servers of RDS, with credentials from Secrets Manager. */
export function sqlServersPort(settings: AwsSettings): SqlServers {
  const { operations } = settings;
  const kinds = { 'rds-postgres': rdsInstances(settings), 'aurora-postgres': auroraClusters(settings) };

  async function credentials(secretArn: string): Promise<{ readonly user: string; readonly password: string }> {
    const region = secretArn.split(':')[3];
    if (!region) throw new InvalidInput(`${secretArn} is not the ARN of a secret`);
    const command = new GetSecretValueCommand({ SecretId: secretArn });
    const { SecretString = '' } = await calling(`read secret ${secretArn}`, () => secretsIn(region).send(command));
    const { username, password } = parseAs(Credentials, jsonOf(SecretString), `the secret ${secretArn}`);
    return { user: username, password };
  }

  return {
    async live(databaseId, region) {
      const database = databaseOf(operations, databaseId);
      const site = database.sites[region];
      if (!site) throw new NotFound(`the config has no ${databaseId} in ${region}`);
      const [host, login] = await Promise.all([
        calling(`find the endpoint of ${databaseId}`, () => kinds[database.engine].liveHost(site.identifier, region)),
        credentials(site.secretArn),
      ]);
      return pgServer({ host, port: database.port, ...login, ssl: verifiedTls });
    },
    async restored(ref) {
      const { engine } = databaseOf(operations, ref.databaseId);
      const access = await calling(`find the endpoint of ${ref.restoredId}`, () => kinds[engine].access(ref));
      if (!access) throw new ServiceUnavailable(`${ref.restoredId} has no endpoint or no managed secret yet`);
      return pgServer({ host: access.host, port: access.port, ...(await credentials(access.secretArn)), ssl: verifiedTls });
    },
  };
}

/** Not `JSON.parse` alone: its error would quote the secret. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
