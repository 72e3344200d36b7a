import { formatSeconds } from '../../../functions/common/duration.ts';
import { type Move, measureMove, moveLimit } from '../../failover/move.ts';
import { approvers } from '../../failover/policy.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { answer, openQuestion } from './answers.ts';
import { judgeMove } from './lose-region.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** Observers start a dead execution again after 20 s: the lab's clock is set forward by so much, once for each crash. */
const restartSeconds = 21;
/** For an observer to notice that nobody carries the plan out. */
const noticeMs = 1_300;
/**
 * Before the claim it is the votes that call for the move, and a clock that was set forward is a gap in what they saw: they must see it all again.
 */
const againSeconds = 30;

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
      await world.until('the first execution begins', moveLimit, () => lab.isExecuting());
      while (!(await endedOrCrashed(world, isOver))) await startedAgain(world);
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
    judgeMove(stage, move, 'crash', 'within the budget or accepted');
    return move;
  });
}

/**
 * Waits until nothing is executed. One that takes over from another cannot know how long the lease was watched: its estimate is higher, it may ask
 * a human, and is answered. @returns whether it was the end */
async function endedOrCrashed(world: FailoverWorld, isOver: () => boolean): Promise<boolean> {
  await world.until('the execution ends or crashes', moveLimit, async () => {
    const question = await openQuestion(world);
    if (question) await answer(world, question.hash, approvers.first);
    return !world.lab.isExecuting();
  });
  return isOver();
}

async function startedAgain(world: FailoverWorld): Promise<void> {
  const { lab } = world;
  const isCalledForByVotes = world.record().phase === 'active';
  await lab.clock.sleep(noticeMs);
  lab.advance(restartSeconds);
  await world.until('observers start it again', againSeconds, async () => {
    if (lab.isExecuting() || isCalledForByVotes) return lab.isExecuting();
    // They may have noticed only after the clock was set forward: then it is done once more.
    await lab.clock.sleep(noticeMs);
    if (!lab.isExecuting()) lab.advance(restartSeconds);
    return lab.isExecuting();
  });
}
