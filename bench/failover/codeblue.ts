import type { Region } from '../../functions/common/ids.ts';
import type { LabFailoverNumbers } from '../../lab/failover/policy.ts';
import { openFailoverWorld } from '../../lab/failover/world.ts';
import type { Contender, System } from './system.ts';

/** Codeblue in the lab, with one set of times. */
export function codeblue(name: string, numbers: LabFailoverNumbers, sizeBytes: number): Contender {
  const { lease, observe } = numbers;
  return {
    name,
    settings: `lease ${lease.length} s + ${lease.margin} s, renewed every ${lease.renewEvery} s; probes every ${observe.every} s, ${observe.failuresToTrip} to trip, dwell ${observe.dwell} s`,
    cycleSeconds: Math.max(lease.renewEvery, observe.every),
    start: () => startCodeblue(numbers, sizeBytes),
  };
}

async function startCodeblue(numbers: LabFailoverNumbers, sizeBytes: number): Promise<System> {
  const world = await openFailoverWorld({ profile: 'hms', seed: 1, sizeBytes, numbers, perSecond: 10 });
  // Its own writer has shown that the lease is given; the benchmark brings its own, which is the rival's too.
  await world.writer.pause();
  const { leader: primary, other: standby } = world.sides();
  const { regions, network, lab } = world;
  // Addresses as clients have them, whatever befalls a region.
  const addresses = new Map<Region, ReturnType<System['address']>>(
    [primary, standby].map((region) => [region, regions.address(region, 'application')]),
  );
  return {
    primary,
    standby,
    endpoints: [primary, standby].map((region) => ({ region, url: `http://127.0.0.1:${network.endpoint(region).port}/lease` })),
    address(region) {
      const address = addresses.get(region);
      if (!address) throw new TypeError(`${region} has no database`);
      return address;
    },
    loseRegion: () => world.kill(primary),
    async cutOff() {
      for (const far of [...regions.names, lab.operations.failover.witness]) if (far !== primary) network.partition(regions, primary, far);
    },
    killAgents: () => world.schedule(primary).stop(),
    stop: () => world.end(),
  };
}
