import type { AnyTask } from '../functions/common/task.ts';
import { guardLease } from '../functions/failover/lease/guard.ts';
import { observeRegions } from '../functions/failover/observe/observe.ts';
import type { Silenced } from './faults.ts';
import { candidates, operatedRegions } from './operations.ts';
import { toMicros } from './virtual-time.ts';
import type { World } from './world.ts';

const minute = toMicros(60);

/** The tasks that keep the protocol going, in the Regions that they run in. */
function scheduled(): readonly { readonly task: AnyTask; readonly regions: typeof operatedRegions | typeof candidates }[] {
  return [guardLease, observeRegions].map((task) => ({ task, regions: task.runsIn === 'candidate' ? candidates : operatedRegions }));
}

/** EventBridge Scheduler: each minute, up to a minute late, now and then twice; in a Region that is lost it fires nothing. */
export function startSchedules(world: World, silenced: Silenced): void {
  const random = world.random.fork('schedules');
  const { time, network, scenario } = world;
  for (const { task, regions } of scheduled()) {
    for (const region of regions) {
      const fire = (scheduledAt: Date) => {
        if (network.isUp(region) && !silenced.isSilent(task.name, region)) void world.runTask(task, region, scheduledAt);
      };
      const occur = (at: number, late: number) => {
        const due = world.clockOf(region).date(at);
        time.at(at + late, () => fire(due));
        if (random.chance(scenario.firedTwice)) time.at(at + late + random.int(1, toMicros(5)), () => fire(due));
        time.at(at + minute, () => occur(at + minute, random.int(0, minute - 1)));
      };
      time.at(0, () => occur(0, random.int(0, toMicros(3)))); // as if they had run for long: the first ones begin at once
    }
  }
}
