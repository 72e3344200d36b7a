import type { Region } from '../common/ids.ts';

/** Used and allowed numbers of one kind of resource in one Region. */
export interface Quota {
  /** As RDS names it: `ManualSnapshots`, `ManualClusterSnapshots`, `DBInstances`, `DBClusters`. */
  readonly name: string;
  readonly used: number;
  readonly limit: number;
}

/**
 * What the doctor asks an account, read-only. Undefined means that the thing does not exist.
 *
 * @throws ServiceUnavailable, InvalidInput when the account refuses to tell or does not answer
 */
export interface AccountFacts {
  /** The account that the credentials belong to; undefined when there are no credentials at all. */
  identity(): Promise<{ readonly account: string; readonly arn: string } | undefined>;
  /** @param key ARN or alias */
  key(region: Region, key: string): Promise<{ readonly enabled: boolean; readonly state: string } | undefined>;
  /** Describes only: the value is never read. */
  secret(region: Region, arn: string): Promise<{ readonly deletedAt?: Date } | undefined>;
  /** `witness` is the witness Region of a table with multi-Region strong consistency. */
  table(region: Region, name: string): Promise<{ readonly status: string; readonly witness?: string } | undefined>;
  quotas(region: Region): Promise<readonly Quota[]>;
}
