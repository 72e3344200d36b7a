import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { fenceOver } from '../../functions/failover/fence/fence-over.ts';
import type { Fence, Fences } from '../../functions/failover/ports.ts';
import type { Regions } from '../regions.ts';
import { labSqlServers } from '../sql-servers.ts';

/** The lease inside the live server of a region, reached as that region's handlers and tools reach it. */
export function labFences(regions: Regions, timeoutSeconds: number): Fences {
  return {
    async open(databaseId, region) {
      regions.checkDatabase(databaseId);
      const opening = fenceOver(pgServer(regions.address(region, 'codeblue')), regions.state.databaseNames);
      return within(opening, timeoutSeconds, `${databaseId} in ${region}`);
    },
    async openCopy(copy) {
      const server = await labSqlServers(regions).restored(copy);
      return within(fenceOver(server, regions.state.databaseNames), timeoutSeconds, copy.restoredId);
    },
  };
}

/** One that opens too late is closed again. @throws ServiceUnavailable */
async function within(opening: Promise<Fence>, timeoutSeconds: number, what: string): Promise<Fence> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ServiceUnavailable(`${what} did not answer within ${timeoutSeconds} s`)), timeoutSeconds * 1000);
  });
  try {
    return await Promise.race([opening, late]);
  } catch (error) {
    void opening.then((fence) => fence.end()).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
