import { formatSeconds } from '../../../functions/common/duration.ts';
import { type Move, measureMove } from '../../failover/move.ts';
import { judgeMove } from './lose-region.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** Observers start a dead execution again after 20 s: the lab's clock is set forward by so much. */
const restartSeconds = 21;
const allCrashesSeconds = 90;

/**
 * P3: the execution dies once after each of its steps: the step has done its work, and nobody remembers it. Observers start it again with the
 * plan that the record holds.
 */
export async function crashEverywhere(stage: FailoverStage): Promise<Move> {
  const { world, phases, findings, timeline } = stage;
  const { lab } = world;
  const { leader: from, other: to } = world.sides();
  return phases.run('Crash the failover after each of its steps', async (say) => {
    const crashed = new Set<string>();
    const executions = new Set<string>();
    lab.afterStep = (operation, execution) => {
      executions.add(execution.name);
      if (crashed.has(operation)) return;
      crashed.add(operation);
      timeline.note(`${execution.name} crashes after ${operation}`);
      lab.crashExecution(execution);
    };
    const sinceMs = leadsSinceMs(world, from);
    const startedAt = new Date();
    const startedMs = world.kill(from);
    timeline.note(`${from} is lost`, startedMs);
    try {
      const isOver = (): boolean => world.record().phase === 'active' && world.record().holder === to && crashed.has('record-failover');
      await world.until('a failover that crashes after every step ends', allCrashesSeconds, async () => {
        if (!isOver() && !lab.isExecuting() && crashed.size > 0) {
          await lab.clock.sleep(1_200); // an observer notices that nobody carries the plan out
          lab.advance(restartSeconds);
          await lab.clock.sleep(1_200);
        }
        return isOver() && !lab.isExecuting();
      });
    } finally {
      lab.afterStep = () => {};
    }
    const move = await measureMove(world, { from, to, startedMs, startedAt, sinceMs });
    for (const line of timeline.lines(startedMs)) say(line);
    findings.promise(
      'P3',
      'A failover that crashes after any step is started again and comes to the same end.',
      world.record().holder === to && crashed.size >= executions.size && executions.size > 1,
      `${crashed.size} crashes, ${executions.size} executions: ${[...crashed].join(', ')}`,
    );
    say(`the writer waited ${formatSeconds(move.rtoSeconds)}`);
    judgeMove(stage, move, 'crash');
    return move;
  });
}
