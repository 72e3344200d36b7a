import type { Operations } from '../../common/operations.ts';
import type { ApprovalQuestion } from '../models.ts';
import type { Coordination } from '../ports.ts';
import { judgeAnswer, questionHash } from './approvals.ts';

/**
 * Why a human's agreement to exactly this question cannot be relied on; undefined when it can. Asked of the coordination table, not of the way that
 * a machine came: whoever acts on an agreement looks for it.
 *
 * @param when `now`: it must still be good. `given`: it was acted on already, and only had to be good then
 */
export async function missingAgreement(
  question: ApprovalQuestion,
  { coordination, operations }: { readonly coordination: Coordination; readonly operations: Pick<Operations, 'failover'> },
  when: { readonly now: Date } | 'given',
): Promise<string | undefined> {
  const hash = questionHash(question);
  const request = (await coordination.requests()).find((each) => each.hash === hash);
  const answer = await coordination.answerTo(hash);
  if (request === undefined || answer === undefined) return `nobody agreed to this: ${question.question}`;
  const { status, says } = judgeAnswer(request, answer, operations.failover.approvals, when === 'given' ? new Date(answer.at) : when.now);
  return status === 'approved' ? undefined : says;
}
