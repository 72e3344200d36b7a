import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseId, Region } from '../../../functions/common/ids.ts';
import type { PgAddress } from '../../../functions/common/pg-server.ts';
import { guard } from '../../../lab/cleanup.ts';
import { createLabDir } from '../../../lab/lab-dir.ts';
import { findBinaries } from '../../../lab/postgres/binaries.ts';
import { loadingSettings } from '../../../lab/postgres/config.ts';
import { nodeAccess, PostgresServer } from '../../../lab/postgres/server.ts';
import { serverUser } from '../../../lab/postgres/server-user.ts';
import { reap } from '../../../lab/reap.ts';

export const regionNames = {
  primary: Region.parse('us-east-1'),
  standby: Region.parse('us-west-2'),
  tertiary: Region.parse('eu-west-1'),
};
export const databaseId = DatabaseId.parse('hms');

/** A directory of one test's own, which root's servers may walk through to their data. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'codeblue-test-'));
  chmodSync(dir, 0o711);
  return dir;
}

export const removeDir = (dir: string): void => rmSync(dir, { recursive: true, force: true });

/** One server without data, to load dumps into. */
export async function startEmptyServer(): Promise<{
  readonly admin: PgAddress;
  readonly server: PostgresServer;
  readonly stop: () => void;
}> {
  const base = temporaryDir();
  const dir = createLabDir(join(base, 'labs'));
  const release = guard(dir);
  const user = serverUser();
  const server = new PostgresServer(
    { user, binaries: findBinaries(join(dir, 'native'), user) },
    join(dir, 'data'),
    join(dir, 'server.log'),
  );
  await server.initialize('secret');
  server.configure(loadingSettings, nodeAccess);
  const port = await server.start();
  const stop = (): void => {
    reap(dir);
    release();
    removeDir(base);
  };
  return { admin: { host: '127.0.0.1', port, user: 'postgres', password: 'secret' }, server, stop };
}
