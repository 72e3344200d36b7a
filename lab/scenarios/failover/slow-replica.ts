import { formatSeconds } from '../../../functions/common/duration.ts';
import { questionHash } from '../../../functions/failover/approval/approvals.ts';
import type { ApprovalRequest } from '../../../functions/failover/models.ts';
import { type Move, measureMove, moveLimit } from '../../failover/move.ts';
import { approvers, lossBudget } from '../../failover/policy.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { answer, openQuestion } from './answers.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** How long the machine is watched after an answer that must not count. */
const patienceMs = 1_500;

/** F5, P5: more than the budget would be lost, so a human is asked, and answers only for what they were shown. */
export async function slowReplica(stage: FailoverStage): Promise<Move> {
  const { world, phases, findings, timeline } = stage;
  const { leader: from, other: to } = world.sides();
  return phases.run('Lose the leading Region while its replica lags', async (say) => {
    const sinceMs = leadsSinceMs(world, from);
    world.network.holdReplication(world.regions, to, true);
    await world.lab.clock.sleep((lossBudget + 2) * 1000);
    const startedAt = new Date();
    const startedMs = world.kill(from);
    timeline.note(`${from} is lost, ${to} is ${lossBudget + 2} s behind`, startedMs);
    const request = await questionAsked(world);
    say(`asked: ${request.question.question}, at most ${formatSeconds(request.question.losses[0]?.atMostSeconds ?? Number.NaN)}`);
    const replayed = await replay(world, request);
    await answer(world, request.hash, approvers.first);
    timeline.note(`${approvers.first} accepts the loss`);
    const move = await measureMove(world, { from, to, startedMs, startedAt, sinceMs });
    world.network.holdReplication(world.regions, to, false);
    for (const line of timeline.lines(startedMs)) say(line);
    findings.promise(
      'F5.replay',
      'An approval of another plan, or of other figures, is not taken for this one.',
      replayed === 'waiting',
      `after answers to ${otherQuestions(request).length} other questions the record was still ${replayed}`,
    );
    const [asked] = request.question.losses;
    findings.promise(
      'P5.approved',
      'Over the budget nothing moves without an approval that says how much is lost, and no more is lost than it says.',
      asked !== undefined &&
        asked.atMostSeconds > asked.budgetSeconds &&
        move.loss.lostSeconds <= asked.atMostSeconds &&
        move.loss.lostIds.length > 0,
      `${move.loss.lostIds.length} acknowledged transactions lost over ${formatSeconds(move.loss.lostSeconds)}; approved: at most ${formatSeconds(asked?.atMostSeconds ?? Number.NaN)} and ${asked?.transactions ?? 0} transactions; budget ${formatSeconds(asked?.budgetSeconds ?? 0)}`,
    );
    findings.promise(
      'P1.slow',
      'No write is acknowledged by the old primary after the first one of the new.',
      move.double.writes === 0,
      `${move.double.writes} writes`,
    );
    return move;
  });
}

async function questionAsked(world: FailoverWorld): Promise<ApprovalRequest> {
  let found: ApprovalRequest | undefined;
  await world.until('a human is asked to accept the loss', moveLimit, async () => {
    found = await openQuestion(world);
    return found !== undefined;
  });
  if (!found) throw new TypeError('it was found just now');
  return found;
}

/** Questions that differ from the one that was asked in one thing each: the plan's epoch, the figures, what is asked. */
function otherQuestions({ question }: ApprovalRequest): readonly ApprovalRequest['question'][] {
  const [loss] = question.losses;
  return [
    { ...question, plan: { ...question.plan, reason: `${question.plan.reason} (another)` } },
    { ...question, losses: loss ? [{ ...loss, atMostSeconds: loss.atMostSeconds + 1 }] : [] },
    { ...question, question: 'start' },
  ];
}

/** Approves the other questions, and looks whether anything moved. @returns the phase in which the record is then */
async function replay(world: FailoverWorld, request: ApprovalRequest): Promise<string> {
  for (const other of otherQuestions(request)) await answer(world, questionHash(other), approvers.first);
  await world.lab.clock.sleep(patienceMs);
  return world.record().phase === 'claimed' && world.lab.isExecuting() ? 'waiting' : world.record().phase;
}
