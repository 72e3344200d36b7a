import { NotFound, ServiceUnavailable } from '../functions/common/errors.ts';
import { pgServer } from '../functions/common/pg-server.ts';
import type { SqlServers } from '../functions/verify/ports.ts';
import type { Regions } from './regions.ts';
import { RestoredStore } from './restore/restored-store.ts';

/** Sessions on the live servers with Codeblue's own role, and on restored copies with the password made for each. */
export function labSqlServers(regions: Regions): SqlServers {
  return {
    async live(databaseId, region) {
      regions.checkDatabase(databaseId);
      return pgServer(regions.address(region, 'codeblue'));
    },
    async restored({ region, restoredId, databaseId }) {
      const item = new RestoredStore(regions.use(region), regions.runtime).get(restoredId);
      if (!item || item.databaseId !== databaseId) throw new NotFound(`there is no restored database ${restoredId} in ${region}`);
      if (item.port === undefined) throw new ServiceUnavailable(`restored database ${restoredId} does not answer yet`);
      return pgServer({ host: '127.0.0.1', port: item.port, user: 'postgres', password: item.password });
    },
  };
}
