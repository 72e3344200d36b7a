import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fork, forkOf } from '../../../functions/failover/failback/fork.ts';
import { copyPhysically, serve, type TestPostgres } from '../../support/postgres.ts';

/** Asks until it is so. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!(await condition())) if (performance.now() > giveUpAt) throw new Error('it never became so');
}

const isTrue = async (server: TestPostgres, condition: string): Promise<boolean> =>
  (await server.sql('postgres', `select (${condition}) as it`))[0]?.it === 't';

/** A hot standby that streams from the server. */
export async function followerOf(primary: TestPostgres, settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const directory = await copyPhysically(primary);
  // In the file and not on the command line, so that `cut` can take it away.
  await writeFile(join(directory, 'postgresql.auto.conf'), `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres'\n`);
  await writeFile(join(directory, 'standby.signal'), '');
  return serve(directory, settings);
}

/** The standby hears no more of its primary, which goes on. */
export async function cut(standby: TestPostgres): Promise<void> {
  await standby.sql('postgres', 'alter system reset primary_conninfo');
  await standby.sql('postgres', 'select pg_reload_conf()');
  await until(() => isTrue(standby, 'not exists (select from pg_stat_wal_receiver)'));
}

/** Promotes it and notes the snapshot that the failover keeps, before anybody writes. */
export async function promote(standby: TestPostgres): Promise<Fork> {
  await standby.sql('postgres', 'select pg_promote()');
  const [row] = await standby.sql('postgres', 'select pg_current_snapshot() as snapshot');
  return forkOf(row?.snapshot ?? '');
}

/** Everything that the primary has committed has been replayed. */
export async function caughtUp(primary: TestPostgres, standby: TestPostgres): Promise<void> {
  const [row] = await primary.sql('postgres', 'select pg_current_wal_insert_lsn() as lsn');
  await until(() => isTrue(standby, `pg_last_wal_replay_lsn() >= '${row?.lsn}'`));
}

/** Small linear congruential generator: the same seed gives the same work. */
export function generator(seed: number): (below: number) => number {
  let state = (seed * 7919) % 2_147_483_647 || 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
