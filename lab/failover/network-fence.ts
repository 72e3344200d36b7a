import type { Region } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { NetworkFence } from '../../functions/failover/ports.ts';
import { nodeAccess } from '../postgres/server.ts';
import type { Regions } from '../regions.ts';

/** What a security group does on AWS, `pg_hba.conf` does here: new connections of the application are turned away, and the old ones ended. */
export function labNetworkFence(regions: Regions): NetworkFence {
  const { user } = regions.state.accounts.application;
  const change = async (region: Region, access: string, alsoEnd: boolean): Promise<void> => {
    regions.use(region).server.allow(access);
    const session = await pgServer(regions.address(region, 'admin')).connect('postgres');
    try {
      await session.query('SELECT pg_reload_conf()');
      if (alsoEnd) await session.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [user]);
    } finally {
      await session.close();
    }
  };
  return {
    async isolate(databaseId, region) {
      regions.checkDatabase(databaseId);
      await change(region, `host all ${user} 127.0.0.1/32 reject\n${nodeAccess}`, true);
      return 1;
    },
    async restore(databaseId, region) {
      regions.checkDatabase(databaseId);
      await change(region, nodeAccess, false);
      return 1;
    },
  };
}
