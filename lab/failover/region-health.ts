import type { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { Capacity } from '../../functions/failover/ports.ts';

/** Services that are broken on purpose, as `<region>/<service>`. */
export type BrokenServices = Set<string>;

/**
 * What a region's HTTP server answers: the region itself, and each service while something of it runs. A service is as well as the capacity
 * item of its name; one without such an item runs always.
 */
export function regionHealth(region: Region, operations: Operations, capacity: Capacity, broken: BrokenServices) {
  return async (path: string): Promise<number> => {
    if (path === '/region') return 200;
    const service = operations.failover.services.find(({ name }) => path === `/services/${name}`);
    if (!service) return 404;
    if (broken.has(`${region}/${service.name}`)) return 503;
    const scaled = operations.failover.capacity.some(({ name, sites }) => name === service.name && sites[region] !== undefined);
    if (!scaled) return 200;
    const { running } = await capacity.describe({ name: service.name, region });
    return running > 0 ? 200 : 503;
  };
}
