import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { InvalidInput, NotFound, ServiceUnavailable } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { parseAs } from '../common/parse.ts';
import { type PgAddress, pgServer } from '../common/pg-server.ts';
import type { SwapRequest } from '../failover/ports.ts';
import type { SqlServer, SqlServers } from '../verify/ports.ts';
import { auroraClusters } from './aurora-clusters.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import { rdsInstances } from './rds-instances.ts';
import type { AwsSettings } from './settings.ts';

const secretsIn = perRegion((region) => new SecretsManagerClient(clientOptions(region)));

const Login = z.object({ username: z.string().min(1), password: z.string().min(1) });

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * The server's certificate and name are always verified. RDS signs with authorities of its own: Node knows them when
 * NODE_EXTRA_CA_CERTS names a bundle that has them, which on Lambda is /var/runtime/ca-cert.pem.
 */
export const verifiedTls = { rejectUnauthorized: true };

/** Limits of a connection that must not hang: see `PgAddress`. */
export type Patience = Pick<PgAddress, 'connectSeconds' | 'querySeconds'>;

/** How long the control plane may think about an address that is known already. */
const lookUpMilliseconds = 1500;

/** PostgreSQL servers of RDS, with credentials from Secrets Manager. */
export function sqlServersPort(
  settings: AwsSettings,
  patience: Patience = {},
): SqlServers & {
  /** A copy that is fit to take the live database's place, under its own name: what opens the live one opens it. */
  fitCopy(copy: SwapRequest): Promise<SqlServer>;
} {
  const { operations } = settings;
  const kinds = { 'rds-postgres': rdsInstances(settings), 'aurora-postgres': auroraClusters(settings) };

  /** A replica has its primary's roles: the secret of this Region opens the other's database too, and asks nothing of that Region. */
  const secretFor = (database: Database, site: DatabaseSite): string => (database.sites[settings.region] ?? site).secretArn;

  const knownHosts = new Map<string, string>();

  /** Asked each time, because Aurora's answer changes with its role; a control plane that is down or hangs keeps nobody out who has been in. */
  async function hostOf(database: Database, site: DatabaseSite, region: Region): Promise<string> {
    const key = `${region}/${site.identifier}`;
    const asked = calling(`find the endpoint of ${database.id}`, () => kinds[database.engine].liveHost(site.identifier, region));
    const known = knownHosts.get(key);
    const host = known === undefined ? await asked : await firstOf(asked, known);
    knownHosts.set(key, host);
    return host;
  }

  return {
    async live(databaseId, region) {
      const database = databaseOf(operations, databaseId);
      const site = database.sites[region];
      if (!site) throw new NotFound(`the config has no ${databaseId} in ${region}`);
      const [host, login] = await Promise.all([hostOf(database, site, region), readCredentials(secretFor(database, site))]);
      return pgServer({ host, port: database.port, ...login, ssl: verifiedTls, ...patience });
    },
    async fitCopy({ databaseId, region, restoredId }) {
      const database = databaseOf(operations, databaseId);
      const site = database.sites[region];
      if (!site) throw new NotFound(`the config has no ${databaseId} in ${region}`);
      const asked = calling(`find the endpoint of ${restoredId}`, () => kinds[database.engine].liveHost(restoredId, region));
      const [host, login] = await Promise.all([asked, readCredentials(secretFor(database, site))]);
      return pgServer({ host, port: database.port, ...login, ssl: verifiedTls, ...patience });
    },
    async restored(ref) {
      const { engine } = databaseOf(operations, ref.databaseId);
      const access = await calling(`find the endpoint of ${ref.restoredId}`, () => kinds[engine].access(ref));
      if (!access) throw new ServiceUnavailable(`${ref.restoredId} has no endpoint or no managed secret yet`);
      return pgServer({ host: access.host, port: access.port, ...(await readCredentials(access.secretArn)), ssl: verifiedTls });
    },
  };
}

/** @throws InvalidInput when it is not the ARN of a secret, or the secret has another shape; its text is not quoted */
export async function readCredentials(secretArn: string): Promise<Credentials> {
  const region = secretArn.split(':')[3];
  if (!region) throw new InvalidInput(`${secretArn} is not the ARN of a secret`);
  const command = new GetSecretValueCommand({ SecretId: secretArn });
  const { SecretString = '' } = await calling(`read secret ${secretArn}`, () => secretsIn(region).send(command));
  const { username, password } = parseAs(Login, jsonOf(SecretString), `the secret ${secretArn}`);
  return { user: username, password };
}

/** Not `JSON.parse` alone: its error would quote the secret. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What was asked for, or what is known already when that fails or takes too long. */
async function firstOf(asked: Promise<string>, known: string): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, lookUpMilliseconds, known);
  });
  return Promise.race([asked.catch(() => known), late]).finally(() => clearTimeout(timer));
}
