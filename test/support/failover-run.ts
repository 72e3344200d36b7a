import { DatabaseId, type Region } from '../../functions/common/ids.ts';
import type { FailoverPlan } from '../../functions/failover/models.ts';
import { type FailoverWorld, failoverWorld } from './failover-world.ts';
import { type Around, deployedMachine, runMachine } from './machine-run.ts';

export const hms = DatabaseId.parse('hms');

/** The machine `failover` as it is deployed. */
export const failoverDefinition = deployedMachine('failover');

export const runFailover = (world: FailoverWorld, plan: FailoverPlan, around?: Around) =>
  runMachine(failoverDefinition, world, { plan }, around);

/** The Region is lost and the observers have noticed. */
export async function lostEast(given: Parameters<typeof failoverWorld>[0] = {}) {
  const world = await failoverWorld(given);
  world.loseEast();
  await world.observe();
  return world;
}

/** `active 8 us-west-2` */
export const leads = async ({ ports }: FailoverWorld) => {
  const record = await ports.coordination.read();
  return `${record?.phase} ${record?.epoch} ${record?.holder}`;
};

export const writableIn = (world: FailoverWorld, region: Region) => world.databases.map((id) => world.server(id, region).write());

/** Acts when that state is entered for the first time. */
export function onOnce(state: string, act: () => Promise<void> | void): Around {
  let done = false;
  return {
    async onState(entered) {
      if (entered !== state || done) return;
      done = true;
      await act();
    },
  };
}
