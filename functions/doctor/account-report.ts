import type { LiveDatabase } from '../backup/models.ts';
import type { Databases } from '../backup/ports.ts';
import { messageOf, NotFound } from '../common/errors.ts';
import { Region } from '../common/ids.ts';
import { auditLogTableName, auditTableName, backupKeyAlias, coordinationTableName, stateTableName } from '../common/names.ts';
import type { Database, Operations } from '../common/operations.ts';
import { regionsOf } from '../common/operations-lookup.ts';
import type { AccountFacts, Quota } from './ports.ts';

/** An answer of the account: there, not there, or not told (no permission, no answer). */
export type Asked<T> =
  | { readonly is: 'found'; readonly value: T }
  | { readonly is: 'absent' }
  | { readonly is: 'unknown'; readonly because: string };

/** Everything that was asked and answered, as data for the checks. */
export interface AccountReport {
  readonly identity: { readonly account: string; readonly arn: string };
  readonly databases: readonly { readonly database: Database; readonly region: Region; readonly asked: Asked<LiveDatabase> }[];
  readonly keys: readonly {
    readonly subject: string;
    readonly key: string;
    readonly asked: Asked<{ readonly enabled: boolean; readonly state: string }>;
  }[];
  readonly secrets: readonly { readonly subject: string; readonly arn: string; readonly asked: Asked<{ readonly deletedAt?: Date }> }[];
  readonly tables: readonly {
    readonly region: Region;
    readonly name: string;
    readonly asked: Asked<{ readonly status: string; readonly witness?: string }>;
  }[];
  readonly quotas: readonly { readonly region: Region; readonly asked: Asked<readonly Quota[]> }[];
}

async function ask<T>(question: () => Promise<T | undefined>): Promise<Asked<T>> {
  try {
    const value = await question();
    return value === undefined ? { is: 'absent' } : { is: 'found', value };
  } catch (error) {
    return error instanceof NotFound ? { is: 'absent' } : { is: 'unknown', because: messageOf(error) };
  }
}

/**
 * Asks the account everything that `accountFindings` judges. A question that fails is an answer too ("unknown"), so one
 * missing permission hides nothing else.
 *
 * @returns undefined without credentials
 * @throws ServiceUnavailable, InvalidInput when even the identity cannot be told (expired credentials, no network)
 */
export async function readAccount(
  facts: AccountFacts,
  databases: Pick<Databases, 'describe'>,
  operations: Operations,
): Promise<AccountReport | undefined> {
  const identity = await facts.identity();
  if (!identity) return undefined;
  // Another account has none of this: every answer would mislead.
  const sites = identity.account === operations.account ? sitesOf(operations) : [];
  const regions = identity.account === operations.account ? regionsOf(operations) : [];
  const keys = [
    ...sites.flatMap(({ subject, region, site }) =>
      [site.storageKeyArn, site.secretKeyArn].flatMap((key) => (key === undefined ? [] : [{ subject, region, key }])),
    ),
  ];
  const tables = [
    ...regions.flatMap((region) =>
      [stateTableName(operations), auditTableName(operations), auditLogTableName(operations)].map((name) => ({ region, name })),
    ),
    ...(operations.failover.mode === 'off' ? [] : regions)
      .filter((region) => region !== operations.regions.tertiary)
      .map((region) => ({ region, name: coordinationTableName(operations) })),
  ];
  const tablesAsked = await Promise.all(
    tables.map(async (each) => ({ ...each, asked: await ask(() => facts.table(each.region, each.name)) })),
  );
  // Codeblue's own key comes with the deployment: before it, its absence says nothing.
  const isDeployed = tablesAsked.some(({ asked }) => asked.is === 'found');
  const ownKeys = isDeployed
    ? regions.map((region) => ({ subject: `backup key in ${region}`, region, key: backupKeyAlias(operations) }))
    : [];
  return {
    identity,
    databases: await Promise.all(
      sites.map(async ({ database, region }) => ({ database, region, asked: await ask(() => databases.describe(database.id, region)) })),
    ),
    keys: await Promise.all(
      [...keys, ...ownKeys].map(async ({ subject, region, key }) => ({ subject, key, asked: await ask(() => facts.key(region, key)) })),
    ),
    secrets: await Promise.all(
      sites.map(async ({ subject, region, site }) => ({
        subject,
        arn: site.secretArn,
        asked: await ask(() => facts.secret(region, site.secretArn)),
      })),
    ),
    tables: tablesAsked,
    quotas: await Promise.all(regions.map(async (region) => ({ region, asked: await ask(() => facts.quotas(region)) }))),
  };
}

const sitesOf = ({ databases }: Operations) =>
  databases.flatMap((database) =>
    Object.entries(database.sites).map(([name, site]) => {
      const region = Region.parse(name);
      return { database, region, site, subject: `${site.identifier} in ${region}` };
    }),
  );
