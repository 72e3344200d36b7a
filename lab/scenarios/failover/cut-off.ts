import type { Region } from '../../../functions/common/ids.ts';
import { type Move, measureMove } from '../../failover/move.ts';
import type { Timeline } from '../../failover/timeline.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { judgeMove } from './lose-region.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** Everything that a region is cut off from: the other two and the witness. Clients reach it all the same. */
const farSides = ({ regions, lab }: FailoverWorld, region: Region): readonly Region[] =>
  [...regions.names, lab.operations.failover.witness].filter((each) => each !== region);

/** Cuts the leading region off from everything but its clients, and waits until the other one leads. It stays cut off. */
async function cutLeaderOff(world: FailoverWorld, timeline: Timeline): Promise<Move> {
  const { leader: from, other: to } = world.sides();
  const sinceMs = leadsSinceMs(world, from);
  const startedMs = performance.now();
  const startedAt = new Date();
  for (const far of farSides(world, from)) world.network.partition(world.regions, from, far);
  timeline.note(`${from} is cut off; its clients still reach it`, startedMs);
  return measureMove(world, { from, to, startedMs, startedAt, sinceMs });
}

function mend(world: FailoverWorld, region: Region): void {
  for (const far of farSides(world, region)) world.network.heal(world.regions, region, far);
}

/** P1 under a partition: the old primary is alive, reachable for its clients, and must stop by itself before the new one begins. */
export async function cutOff(stage: FailoverStage): Promise<Move> {
  const { world, phases, findings, timeline } = stage;
  const move = await phases.run('Cut the leading Region off, but not from its clients', async (say) => {
    const moved = await cutLeaderOff(world, timeline);
    for (const line of timeline.lines(moved.startedMs)) say(line);
    return moved;
  });
  findings.measure('partitionSeconds', move.rtoSeconds);
  findings.measure('doubleWriterMilliseconds', move.double.milliseconds);
  judgeMove(stage, move, 'partition');
  mend(world, move.from);
  return move;
}
