import { join } from 'node:path';
import { nodeSettings, type Settings } from '../../lab/postgres/config.ts';
import type { LabState } from '../../lab/state.ts';
import type { Site } from './site.ts';

/** Seconds. Patroni keeps a primary's lock for `ttl`, renews it every `loopWait`, and gives up on etcd or PostgreSQL after `retryTimeout`. */
export interface PatroniTimes {
  readonly ttl: number;
  readonly loopWait: number;
  readonly retryTimeout: number;
}

/** https://patroni.readthedocs.io/en/latest/dynamic_configuration.html */
export const patroniDefaults: PatroniTimes = { ttl: 30, loopWait: 10, retryTimeout: 10 };

/**
 * As low as Patroni goes. `_validate_and_adjust_timeouts` in patroni/config.py (4.1.5) raises `ttl` to 20, `retry_timeout` to 3 and `loop_wait`
 * to 1, and wants `loop_wait + 2 * retry_timeout <= ttl`.
 */
export const patroniMinimum: PatroniTimes = { ttl: 20, loopWait: 1, retryTimeout: 3 };

/**
 * The soonest failover that this check lets pass. The lock of a dead primary lasts `ttl` from its last renewal, and that was half a `loop_wait` ago on
 * average: with `ttl` at its floor, the longest `loop_wait` is the fastest. Nobody runs it so, because everything else that Patroni does
 * gets slower; it is here so that nobody can say the rival was held back.
 */
export const patroniSoonest: PatroniTimes = { ttl: 20, loopWait: 14, retryTimeout: 3 };

const scope = 'hospital';
/** Where Patroni keeps the cluster-wide configuration in etcd. */
export const dynamicConfigKey = `/service/${scope}/config`;

/** Settings that belong to one node; the others go into etcd, where Patroni wants them. */
const localSettings: readonly string[] = [
  'archive_command',
  'listen_addresses',
  'unix_socket_directories',
  'primary_conninfo',
  'primary_slot_name',
];

/** The cluster-wide part: Patroni's times, and the PostgreSQL settings of the lab's nodes. */
export function dynamicConfig({ ttl, loopWait, retryTimeout }: PatroniTimes): unknown {
  const shared = Object.entries(nodeSettings('')).filter(([name]) => !localSettings.includes(name));
  return {
    ttl,
    loop_wait: loopWait,
    retry_timeout: retryTimeout,
    // There is no pg_rewind in the lab, and a lost region does not come back within a play.
    postgresql: { use_pg_rewind: false, use_slots: true, parameters: Object.fromEntries(shared) },
  };
}

export interface NodeConfig {
  readonly site: Site;
  readonly sites: readonly Site[];
  readonly dir: string;
  readonly programs: string;
  readonly accounts: LabState['accounts'];
}

/** One member's patroni.yml, as JSON, which is YAML. */
export function memberConfig({ site, sites, dir, programs, accounts }: NodeConfig): unknown {
  const settings: Settings = nodeSettings(join(dir, 'archive'));
  const account = ({ user, password }: LabState['accounts']['admin']) => ({ username: user, password });
  return {
    scope,
    name: site.name,
    restapi: { listen: '0.0.0.0:8008', connect_address: `${site.peerHost}:8008` },
    etcd3: { hosts: sites.map(({ peerHost }) => `${peerHost}:2379`) },
    postgresql: {
      listen: '0.0.0.0:5432',
      connect_address: `${site.peerHost}:5432`,
      data_dir: join(dir, 'data'),
      bin_dir: programs,
      pgpass: join(dir, 'pgpass'),
      authentication: { superuser: account(accounts.admin), replication: account(accounts.replication) },
      parameters: { archive_command: settings.archive_command, unix_socket_directories: '' },
      pg_hba: ['host all all all scram-sha-256', 'host replication all all scram-sha-256'],
    },
  };
}
