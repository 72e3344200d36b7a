import type { Region } from '../../functions/common/ids.ts';
import type { Vote } from '../../functions/failover/models.ts';
import type { LabFailoverNumbers } from '../../lab/failover/policy.ts';
import { type FailoverWorld, openFailoverWorld } from '../../lab/failover/world.ts';
import type { Contender, System } from './system.ts';

/** Longest that the lab may take until all is well. */
const STEADY_SECONDS = 120;

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
  try {
    await world.until('three observers with nothing to complain of', STEADY_SECONDS, () => isSteady(world));
    await fencedForBoth(world);
  } catch (error) {
    await world.end();
    throw error;
  }
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
    says: () => standing(world),
    stop: () => world.end(),
  };
}

/** Every observer has looked lately and found nothing. A machine short of processor time is not what is measured. */
async function isSteady(world: FailoverWorld): Promise<boolean> {
  const { lab, regions } = world;
  const votes = await lab.ports().coordination.votes();
  const { epoch } = world.record();
  const oldest = lab.clock.now().getTime() - 2_000 * lab.operations.failover.observe.every;
  const isWell = (vote: Vote): boolean =>
    vote.epoch === epoch &&
    Date.parse(vote.at) > oldest &&
    vote.findings.every(({ status, contrary }) => status !== 'unhealthy' && contrary === 0);
  return votes.filter(isWell).length === regions.names.length;
}

/** Each guardian looks for itself whether the fence is complete, and the last one to renew is believed: while one still says no, a human would be asked. */
async function fencedForBoth(world: FailoverWorld): Promise<void> {
  const lastSaid = new Map<Region, boolean>();
  await world.until('a fence that is complete for both guardians', STEADY_SECONDS, () => {
    const { renewedBy, fenced } = world.record();
    if (renewedBy) lastSaid.set(renewedBy.region, fenced);
    return world.candidates.every((region) => lastSaid.get(region) === true);
  });
}

/** Who leads, and what a human is asked: over its loss budget Codeblue waits for one. */
async function standing(world: FailoverWorld): Promise<string> {
  const { coordination } = world.lab.ports(world.sides().other);
  const { epoch, phase, holder } = world.record();
  const asked = (await coordination.requests()).map(({ question: { question, losses } }) => {
    const [loss] = losses;
    return loss ? `${question}: at most ${loss.atMostSeconds.toFixed(1)} s lost, budget ${loss.budgetSeconds.toFixed(1)} s` : question;
  });
  return `${holder} is ${phase} in epoch ${epoch}; a human is asked: ${asked.join('; ') || 'nothing'}`;
}
