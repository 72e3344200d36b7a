import { constants } from 'node:fs';
import { chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { systemCode } from '../errors.ts';
import { baseBackup } from './base-backup.ts';
import { configQuote, nodeSettings } from './config.ts';
import { dataFiles } from './data-files.ts';
import { nodeAccess, type PostgresServer } from './server.ts';

export interface StandbyRequest {
  readonly primary: { readonly server: PostgresServer; readonly admin: PgAddress; readonly replication: PgAddress };
  readonly standby: PostgresServer;
  readonly archiveDir: string;
  /** Names the slot and the connection on the primary: lower-case letters, digits, underscores. */
  readonly name: string;
  /** Keep the log on the primary until the standby has it. Without one a short-lived copy leaves nothing behind. */
  readonly slot: boolean;
  /** A free one is taken when left out. */
  readonly port?: number | undefined;
}

/**
 * Makes a streaming standby from a copy of the running primary and starts it. The slot keeps the log on the primary from
 * before the copy begins, so the standby finds everything it needs in the stream.
 * @returns the standby's port
 */
export async function createStandby({ primary, standby, archiveDir, name, slot, port }: StandbyRequest): Promise<number> {
  if (slot) await reserveSlot(primary.admin, name);
  const end = await baseBackup(primary.admin, `standby ${name}`, () => copyData(primary.server, standby));
  await writeOwned(standby, 'backup_label', end.label);
  await writeOwned(standby, 'standby.signal', '');
  standby.configure({ ...nodeSettings(archiveDir), ...following(primary.replication, name, slot) }, nodeAccess);
  return standby.start(port);
}

function following({ host, port, user, password }: PgAddress, name: string, slot: boolean) {
  const facts = { host, port: String(port), user, password, application_name: name };
  const text = Object.entries(facts).map(([key, value]) => `${key}=${configQuote(value)}`);
  return { primary_conninfo: text.join(' '), ...(slot ? { primary_slot_name: name } : {}) };
}

async function reserveSlot(admin: PgAddress, name: string): Promise<void> {
  const session = await pgServer(admin).connect('postgres');
  try {
    await session.query(
      `SELECT pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`,
      [name],
    );
  } finally {
    await session.close();
  }
}

/** Files in flight at a time: many are small, and most of the time goes into asking the system for each. */
const COPIES_AT_A_TIME = 16;

async function copyData(from: PostgresServer, to: PostgresServer): Promise<void> {
  const { user } = to.runtime;
  const own = async (path: string): Promise<void> => {
    if (user) await chown(path, user.uid, user.gid);
  };
  const directory = async (path: string): Promise<void> => {
    await mkdir(path, { mode: 0o700 });
    await own(path);
  };
  await directory(to.dataDir);
  let batch: Promise<void>[] = [];
  for await (const { name, path, kind } of dataFiles(from.dataDir)) {
    const target = join(to.dataDir, name);
    if (kind === 'directory') {
      await directory(target);
      continue;
    }
    batch.push(copied(path, target).then((done) => (done ? own(target) : undefined)));
    if (batch.length < COPIES_AT_A_TIME) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}

/** False when the file was dropped in the meantime. */
async function copied(path: string, target: string): Promise<boolean> {
  try {
    await copyFile(path, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o600);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function writeOwned({ dataDir, runtime }: PostgresServer, name: string, text: string): Promise<void> {
  const path = join(dataDir, name);
  await writeFile(path, text, { mode: 0o600 });
  if (runtime.user) await chown(path, runtime.user.uid, runtime.user.gid);
}

const Lag = z.object({ bytes: z.coerce.number(), seconds: z.coerce.number() });
export type ReplicationLag = z.output<typeof Lag>;

/** How far the named standby is behind, as its primary sees it; undefined when it is not connected. */
export async function replicationLag(primary: PgAddress, name: string): Promise<ReplicationLag | undefined> {
  const session = await pgServer(primary).connect('postgres');
  try {
    const [row] = await session.query(
      `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS bytes, coalesce(extract(epoch FROM replay_lag), 0) AS seconds
       FROM pg_stat_replication WHERE application_name = $1 AND replay_lsn IS NOT NULL`,
      [name],
    );
    return row && Lag.parse(row);
  } finally {
    await session.close();
  }
}
