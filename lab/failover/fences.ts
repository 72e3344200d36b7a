import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { Fences } from '../../functions/failover/ports.ts';
import type { Regions } from '../regions.ts';

export function labFences(regions: Regions, timeoutSeconds: number): Fences {
  return {
    async open(databaseId, region) {
      throw new ServiceUnavailable(`${databaseId} ${region} ${regions.dir} ${timeoutSeconds}: not built yet`);
    },
  };
}
