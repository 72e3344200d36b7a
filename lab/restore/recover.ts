import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { restoredSettings, timeTargetSettings } from '../postgres/config.ts';
import { type PostgresServer, restoredAccess } from '../postgres/server.ts';

/** Recover to a time, with the log from this archive. */
export interface TimeTarget {
  readonly time: Date;
  readonly archiveDir: string;
}

/**
 * Brings an unpacked backup to life: replays the log, replaces the superuser's password, starts the server for loopback only.
 * Recovery and the new password come before anybody can connect, so the passwords of the live database never work here.
 *
 * @param password  base64url
 * @returns its port
 * @throws LabUnavailable with PostgreSQL's reason when recovery fails
 */
export async function recover(server: PostgresServer, password: string, target?: TimeTarget): Promise<number> {
  if (target) {
    const path = join(server.dataDir, 'recovery.signal');
    await writeFile(path, '', { mode: 0o600 });
    const { user } = server.runtime;
    if (user) await chown(path, user.uid, user.gid);
  }
  server.configure({ ...restoredSettings, ...(target ? timeTargetSettings(target.archiveDir, target.time) : {}) }, restoredAccess);
  await server.runOffline([`ALTER ROLE postgres PASSWORD '${password}'`]);
  server.configure(restoredSettings, restoredAccess);
  return server.start();
}
