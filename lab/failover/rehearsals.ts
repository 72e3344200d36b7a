import { join } from 'node:path';
import type { Clock } from '../../functions/common/clock.ts';
import { messageOf, NotFound } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { Replicas } from '../../functions/failover/ports.ts';
import type { Background } from '../background.ts';
import { makeServerDirectory, restoredAccess } from '../postgres/server.ts';
import { createStandby } from '../postgres/standby.ts';
import type { Regions } from '../regions.ts';
import { RestoredStore } from '../restore/restored-store.ts';
import { newPassword } from '../roles.ts';

type Request = Parameters<Replicas['createRehearsal']>[0];

/** A standby beside the real one, in the place of restored databases: owned, expiring, removed in the same way. */
export async function createRehearsal(
  regions: Regions,
  clock: Clock,
  background: Background,
  { databaseId, region, from, restoredId, expiresAt }: Request,
): Promise<void> {
  const store = new RestoredStore(regions.use(region), regions.runtime);
  const source = regions.use(from);
  const claimed = await store.begin({
    restoredId,
    databaseId,
    status: 'creating',
    pid: process.pid,
    createdAt: clock.now().toISOString(),
    expiresAt: expiresAt.toISOString(),
    tags: { owner: regions.state.deployment },
    // A copy has the roles of its source, until it is promoted.
    password: regions.state.accounts.admin.password,
  });
  if (!claimed) return;
  const make = async (): Promise<void> => {
    const server = store.server(restoredId);
    const archiveDir = join(store.dir(restoredId), 'archive');
    await makeServerDirectory(archiveDir, regions.runtime);
    const replication = regions.address(from, 'replication');
    const port = await createStandby({
      primary: {
        server: source.server,
        admin: regions.address(from, 'admin'),
        replication: { ...replication, port: regions.linkPort(from, 'replication', region) ?? replication.port },
      },
      standby: server,
      archiveDir,
      name: `rehearsal_${restoredId.replaceAll('-', '_')}`.slice(0, 60),
      slot: false,
    });
    store.update(restoredId, { status: 'available', port });
  };
  background.run(make().catch((error: unknown) => store.update(restoredId, { status: 'failed', reason: messageOf(error) })));
}

/** Promotes it and cuts it off: a password of its own, no way to it but the superuser's. @returns false while it cannot be done yet @throws NotFound */
export async function promoteRehearsal(regions: Regions, region: Region, restoredId: string): Promise<boolean> {
  const store = new RestoredStore(regions.use(region), regions.runtime);
  const item = store.get(restoredId);
  if (!item) throw new NotFound(`there is no rehearsal ${restoredId} in ${region}`);
  if (item.port === undefined) return false;
  const session = await pgServer({ host: '127.0.0.1', port: item.port, user: 'postgres', password: item.password }).connect('postgres');
  try {
    const [row] = await session.query('SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote(true, 60) ELSE true END AS promoted');
    if (row?.promoted !== 't') return false;
    if (item.password !== regions.state.accounts.admin.password) return true; // cut off by an earlier call
    const password = newPassword();
    await session.query(`ALTER ROLE postgres PASSWORD '${password}'`);
    store.update(restoredId, { password });
    store.server(restoredId).allow(restoredAccess);
    await session.query('SELECT pg_reload_conf()');
    return true;
  } finally {
    await session.close();
  }
}
