import { timestamp } from '../../../functions/common/ids.ts';
import type { ApprovalAnswer, ApprovalQuestion, ApprovalRequest } from '../../../functions/failover/models.ts';
import type { FailoverWorld } from '../../failover/world.ts';

/**
 * The question about the loss that the change under way asks and nobody has answered, or whether the next one may start. Asked and answered in the region that only
 * watches: it lives.
 */
export async function openQuestion(
  world: FailoverWorld,
  which: ApprovalQuestion['question'] = 'accept-loss',
): Promise<ApprovalRequest | undefined> {
  const { coordination } = world.lab.ports(world.watcher);
  const epoch = world.record().epoch + (which === 'start' ? 1 : 0);
  const asked = (await coordination.requests()).filter(({ question }) => question.question === which && question.plan.epoch === epoch);
  for (const request of asked) if ((await coordination.answerTo(request.hash)) === undefined) return request;
  return undefined;
}

export async function answer(world: FailoverWorld, hash: string, by: string, says: ApprovalAnswer['answer'] = 'approved'): Promise<void> {
  const { coordination } = world.lab.ports(world.watcher);
  await coordination.answer({ hash, answer: says, by, at: timestamp(world.lab.clock.now()) });
}
