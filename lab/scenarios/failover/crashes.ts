import { formatSeconds } from '../../../functions/common/duration.ts';
import { stepLists } from '../../../functions/tasks.ts';
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
/** Steps that a failover takes only where something is asked, given back or given up. */
const elsewhere: ReadonlySet<string> = new Set(['ask-human', 'await-answer', 'give-lease-back', 'call-human']);

/** What is known of the executions of one change while they crash. */
interface Crashing {
  readonly crashed: Set<string>;
  readonly executions: Set<string>;
}

/**
 * P3: the execution dies once after each of its steps: the step has done its work, and nobody remembers it. It is started again with the plan
 * that the record holds, by the observers, until it is told and recorded.
 */
export async function crashEverywhere(stage: FailoverStage): Promise<Move> {
  const { world, phases, findings, timeline } = stage;
  const { leader: from, other: to } = world.sides();
  return phases.run('Crash the failover after each of its steps', async (say) => {
    const crashing: Crashing = { crashed: new Set(), executions: new Set() };
    const sinceMs = leadsSinceMs(world, from);
    const stopCrashing = crashAfterEachStep(stage, crashing);
    const startedAt = new Date();
    const startedMs = world.kill(from);
    timeline.note(`${from} is lost`, startedMs);
    try {
      await world.until('the first execution begins', moveLimit, () => world.lab.isExecuting());
      while (!(await ended(world, crashing))) await startedAgain(world);
    } finally {
      stopCrashing();
    }
    const move = await measureMove(world, { from, to, startedMs, startedAt, sinceMs });
    for (const line of timeline.lines(startedMs)) say(line);
    const spared = stepLists.failover.map(({ name }) => name).filter((name) => !elsewhere.has(name) && !crashing.crashed.has(name));
    findings.promise(
      'P3',
      'A failover that crashes after any step is started again and comes to the same end.',
      world.record().holder === to && world.record().phase === 'active' && spared.length === 0,
      spared.length > 0
        ? `it never crashed after ${spared.join(', ')}`
        : `${crashing.crashed.size} crashes, ${crashing.executions.size} executions`,
    );
    say(`the writer waited ${formatSeconds(move.rtoSeconds)}`);
    judgeMove(stage, move, 'crash', 'within the budget or accepted');
    return move;
  });
}

function crashAfterEachStep({ world: { lab }, timeline }: FailoverStage, crashing: Crashing): () => void {
  lab.afterStep = (operation, execution) => {
    crashing.executions.add(execution.name);
    if (crashing.crashed.has(operation)) return;
    crashing.crashed.add(operation);
    timeline.note(`${execution.name} crashes after ${operation}`);
    lab.crashExecution(execution);
  };
  return () => {
    lab.afterStep = () => {};
  };
}

/**
 * Waits until nothing is executed. One that takes over from another cannot know how long the lease was watched: its estimate is higher, it may ask
 * a human, and is answered. @returns whether the last step has been done
 */
async function ended(world: FailoverWorld, { crashed }: Crashing): Promise<boolean> {
  await world.until('the execution ends or crashes', moveLimit, async () => {
    const question = await openQuestion(world);
    if (question) await answer(world, question.hash, approvers.first);
    return !world.lab.isExecuting();
  });
  return crashed.has('record-failover') && world.record().phase === 'active';
}

async function startedAgain(world: FailoverWorld): Promise<void> {
  const { lab } = world;
  const { phase, committed } = world.record();
  const isByVotes = phase === 'active' && committed === undefined;
  // Counted, because one that crashes again at once is not seen running.
  const before = lab.executions.started.length;
  const isStarted = (): boolean => lab.executions.started.length > before;
  await lab.clock.sleep(noticeMs);
  if (isStarted()) return;
  lab.advance(restartSeconds);
  await world.until('observers start it again', againSeconds, async () => {
    if (isStarted() || isByVotes) return isStarted();
    // They may have noticed only after the clock was set forward: then it is done once more.
    await lab.clock.sleep(noticeMs);
    if (!isStarted()) lab.advance(restartSeconds);
    return isStarted();
  });
}
