import { audited } from '../../../functions/audit/audited.ts';
import { formatSeconds } from '../../../functions/common/duration.ts';
import { InvalidInput, NotFound } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { judgeAnswer, objectionTo } from '../../../functions/failover/approval/approvals.ts';
import type { ApprovalAnswer, ApprovalQuestion, ApprovalRequest } from '../../../functions/failover/models.ts';
import { planFacts } from '../../../functions/failover/move/plan-words.ts';
import type { Session } from '../../session.ts';

export const failoverAnswerPorts = ['auditLog', 'coordination'] as const;
type AnswerSession = Session<(typeof failoverAnswerPorts)[number]>;

/** The request whose hash begins so. @throws NotFound, InvalidInput when it fits none or several, or is answered or expired already */
export async function questionNamed({ ports, operations, clock }: AnswerSession, beginning: string): Promise<ApprovalRequest> {
  if (!/^[0-9a-f]{8,64}$/.test(beginning)) {
    throw new InvalidInput(`"${beginning}" names no question`, {
      hint: 'Give the first 8 or more hex digits of its hash: codeblue failover status lists them.',
    });
  }
  const fitting = (await ports.coordination.requests()).filter(({ hash }) => hash.startsWith(beginning));
  const [request] = fitting;
  if (!request) throw new NotFound(`there is no question ${beginning}`, { hint: 'codeblue failover status lists the open ones.' });
  if (fitting.length > 1) throw new InvalidInput(`${fitting.length} questions begin with ${beginning}`, { hint: 'Give more digits.' });
  const { status, says } = judgeAnswer(
    request,
    await ports.coordination.answerTo(request.hash),
    operations.failover.approvals,
    clock.now(),
  );
  if (status !== 'waiting')
    throw new InvalidInput(`the question cannot be answered any more: ${status}, ${says}`, {
      hint: 'Whoever still needs an answer asks a new question.',
    });
  return request;
}

/** What a person agrees to, with every figure. */
export function renderQuestion({ hash, question, expiresAt }: ApprovalRequest): string {
  const { plan, losses } = question;
  return [
    asked[question.question],
    `  ${planFacts(plan)}`,
    `  asked for by ${plan.requestedBy} at ${plan.requestedAt}: ${plan.reason}`,
    ...losses.map(
      ({ databaseId, provenSeconds, atMostSeconds, transactions, lastKnownAgeSeconds, budgetSeconds }) =>
        `  ${databaseId}: ${
          lastKnownAgeSeconds === undefined
            ? 'nobody knows how much would be lost'
            : `${formatSeconds(provenSeconds)} lost for certain, ${formatSeconds(atMostSeconds)} at most, ${transactions} transactions; last seen ${formatSeconds(lastKnownAgeSeconds)} before the claim`
        }; the budget is ${formatSeconds(budgetSeconds)}`,
    ),
    `  question ${hash}`,
    `  answer before ${expiresAt}; the first answer counts`,
  ].join('\n');
}

const asked: Record<ApprovalQuestion['question'], string> = {
  start: 'May it begin?',
  'accept-loss': 'The loss is over the budget. Is it accepted?',
  'old-primary-is-off': 'There is no complete fence. Is the old primary certainly off, and does it stay off?',
};

/**
 * Stores the answer of `by`. An answer that would not count is refused before it is stored, so that a mistake does not use the question up.
 *
 * @throws InvalidInput with the reason; Conflict-free: when somebody was faster, their answer is returned
 */
export async function answerQuestion(
  { ports, operations, clock, region }: AnswerSession,
  request: ApprovalRequest,
  answer: ApprovalAnswer['answer'],
  by: string,
): Promise<{ readonly stored: ApprovalAnswer; readonly says: string }> {
  const objection = objectionTo(request.question, { by, answer }, operations.failover.approvals);
  const act = {
    actor: `cli/${by}`,
    action: `answer-${answer}`,
    resource: `question/${request.hash.slice(0, 16)}`,
    details: { question: request.question.question, epoch: request.question.plan.epoch },
  };
  const stored = await audited({ auditLog: ports.auditLog, clock, region }, act, async () => {
    if (objection !== undefined) {
      throw new InvalidInput(`this answer would not count: ${objection}`, {
        hint: `These may answer: ${operations.failover.approvals.by.join(', ') || 'nobody is listed in failover.approvals.by'}.`,
      });
    }
    return ports.coordination.answer({ hash: request.hash, answer, by, at: timestamp(clock.now()) });
  });
  const { says } = judgeAnswer(request, stored, operations.failover.approvals, clock.now());
  return { stored, says };
}
