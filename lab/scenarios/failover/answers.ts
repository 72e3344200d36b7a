import { timestamp } from '../../../functions/common/ids.ts';
import type { ApprovalRequest } from '../../../functions/failover/models.ts';
import type { FailoverWorld } from '../../failover/world.ts';

/** The question about the loss that the change under way asks and nobody has answered. Asked and answered in the region that only watches: it lives. */
export async function openQuestion(world: FailoverWorld): Promise<ApprovalRequest | undefined> {
  const { coordination } = world.lab.ports(world.watcher);
  const { epoch } = world.record();
  const asked = (await coordination.requests()).filter(
    ({ question }) => question.question === 'accept-loss' && question.plan.epoch === epoch,
  );
  for (const request of asked) if ((await coordination.answerTo(request.hash)) === undefined) return request;
  return undefined;
}

export async function answer(world: FailoverWorld, hash: string, by: string): Promise<void> {
  const { coordination } = world.lab.ports(world.watcher);
  await coordination.answer({ hash, answer: 'approved', by, at: timestamp(world.lab.clock.now()) });
}
